import { QsecError } from '../errors.ts';
import { popcount, select } from './bits.ts';
import { countSample, type KeyLengthTerms, type SampleCounts, sourceModel } from './estimation.ts';
import type { Hello } from './flights.ts';
import type { Partition } from './sifting.ts';

/* Steps that both sides compute from announced numbers and their own bits. Nothing here holds state. */

/** The key length terms that the hello fixes. */
export function keyLengthTerms(hello: Pick<Hello, 'epsilon' | 'bound' | 'zProbability' | 'intensities'>): KeyLengthTerms {
  const source = sourceModel(hello.intensities);
  return { epsilon: hello.epsilon, bound: hello.bound, source, zOnly: hello.zProbability !== 0.5 || source !== 'single-photon' };
}

/** Compares the test bits and counts what is kept, by basis. `bases` is over the detected pulses, one is X. */
export function countOutcome(parts: Partition, alice: Uint8Array, bob: Uint8Array, bases: Uint8Array): SampleCounts {
  const keyX = popcount(select(bases, parts.key));
  return { ...countSample(alice, bob, select(bases, parts.test), parts.tested), keyZ: parts.kept - keyX, keyX };
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
