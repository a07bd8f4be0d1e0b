import { and, andNot, byteLength, not, or, popcount, xor } from './bits.ts';
import { expandSeed } from './chacha.ts';
import { drawClasses } from './channel/source.ts';
import type { PreparedPulses, QuantumChannel } from './channel/types.ts';
import { biasedBits, foldBits, randomBits } from './random.ts';

/** Bytes of the seed that chooses the sample. */
export const SAMPLE_SEED_BYTES = 32;

/** Draws Alice's bits, bases (one is X) and intensities, all from the platform's cryptographic generator. */
export function preparePulses(count: number, zProbability: number, channel: QuantumChannel): PreparedPulses {
  const pulses = { count, bits: randomBits(count), bases: drawBases(count, zProbability) };
  return channel.intensities ? { ...pulses, classes: drawClasses(channel.intensities, count) } : pulses;
}

/** One basis choice a pulse, packed: zero is Z, one is X. */
export const drawBases = (count: number, zProbability: number): Uint8Array => biasedBits(count, 1 - zProbability);

/**
 * Which of `count` detected pulses Bob's bits are told of: each one independently with probability `fraction`/256, from a seed
 * that he draws after all detections. Given its size, such a sample is a uniform subset, which is what the sampling bounds ask
 * for. When only Z carries key, all of X is told as well.
 *
 * @param bases Bob's, one is X.
 */
export function sampleMask(seed: Uint8Array, count: number, fraction: number, bases: Uint8Array, zOnly: boolean): Uint8Array {
  // One bit string for each binary digit down to the last one that is set.
  const digits = fraction === 0 ? 0 : 8 - Math.log2(fraction & -fraction);
  const stream = expandSeed(seed, digits * byteLength(count));
  let used = 0;
  const mask = foldBits(count, fraction, 8, (bytes) => {
    used += bytes;
    return stream.subarray(used - bytes, used);
  });
  return zOnly ? or(mask, bases) : mask;
}

/** The pulses among `count` detected ones in which both sides used the same basis. */
export const matchMask = (aliceBases: Uint8Array, bobBases: Uint8Array, count: number): Uint8Array =>
  not(xor(aliceBases, bobBases), count);

/** The sifted pulses, as masks over the detected ones: compared in public, or kept for the key. */
export interface Partition {
  test: Uint8Array;
  key: Uint8Array;
  tested: number;
  kept: number;
}

/** Splits the sifted pulses by the sample. */
export function partition(match: Uint8Array, sample: Uint8Array): Partition {
  const test = and(match, sample);
  const key = andNot(match, sample);
  return { test, key, tested: popcount(test), kept: popcount(key) };
}
