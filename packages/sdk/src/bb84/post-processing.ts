import { QsecError } from '../errors.ts';
import type { Hello } from './flights.ts';
import { type KeyLengthTerms, sourceModel } from './key-length.ts';

/* Steps that both sides compute from announced numbers and their own bits. Nothing here holds state. */

/** The key length terms that the hello fixes. */
export function keyLengthTerms(hello: Pick<Hello, 'epsilon' | 'bound' | 'zProbability' | 'intensities'>): KeyLengthTerms {
  const source = sourceModel(hello.intensities);
  return { epsilon: hello.epsilon, bound: hello.bound, source, zOnly: hello.zProbability !== 0.5 || source !== 'single-photon' };
}

/**
 * What the verification tag is made of: the key and the Toeplitz seed, so that a seed that was changed on the way is noticed by
 * chance errors' standards too. Against intent, messages are authenticated from outside.
 */
export function verified(key: Uint8Array, toeplitzSeed: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + toeplitzSeed.length);
  out.set(key);
  out.set(toeplitzSeed, key.length);
  return out;
}

/**
 * Bits that a verification tag gives away beyond the log2(2/ε_cor) which the key length formulas already subtract for it: tags
 * come in whole words.
 */
export const tagExcess = (tagBytes: number, correctness: number): number =>
  Math.max(0, Math.ceil(8 * tagBytes - Math.log2(2 / correctness)));

/** Why there is no key of the length asked for. */
export const tooShort = (possible: number, wanted = 1): QsecError =>
  new QsecError('KEY_TOO_SHORT', `${possible} secret bits are left, ${wanted} are needed`, {
    details: { secretBits: possible, wanted },
  });
