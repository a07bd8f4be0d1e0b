import { bytes, integer, invalid } from './arguments.ts';
import { byteLength, fromWords, toWords, wordLength } from './bits.ts';
import { correlate } from './fft.ts';

/** Above this many output bits the Fourier transform beats shifting and adding. */
const DIRECT_LIMIT = 4096;

/** Seed bits that a Toeplitz matrix of `outputBits` rows over a key of `keyBytes` bytes has. */
export const toeplitzSeedBits = (keyBytes: number, outputBits: number): number => Math.max(0, 8 * keyBytes + outputBits - 1);

/**
 * Privacy amplification by a random Toeplitz matrix, a universal₂ family (Krawczyk, "LFSR-based hashing and authentication",
 * CRYPTO '94). With key bits x₀…xₙ₋₁ and seed bits s₀…sₙ₊ₘ₋₂, all packed most significant first and n = 8·`key.length`,
 * output bit i is ⊕ⱼ s[n − 1 − j + i]·xⱼ. The first m′ output bits need only the first n + m′ − 1 seed bits, so a shorter
 * output is a prefix of a longer one. Zero padding at the end of the key changes nothing.
 *
 * Small outputs are computed by adding seed windows, large ones by a Fourier transform; the result is the same.
 *
 * @param key the reconciled key.
 * @param seed at least n + m − 1 uniform bits, public, drawn after the quantum phase.
 * @param outputBits m, at most n.
 * @returns ⌈m/8⌉ bytes, padded with zero bits.
 * @throws INVALID_ARGUMENT when the seed is too short or m is out of range.
 */
export function toeplitz(key: Uint8Array, seed: Uint8Array, outputBits: number): Uint8Array {
  bytes('key', key);
  bytes('seed', seed);
  integer('outputBits', outputBits, 0, 8 * key.length);
  const needed = byteLength(toeplitzSeedBits(key.length, outputBits));
  if (seed.length < needed) throw invalid('seed', `at least ${needed} bytes`, seed);
  if (outputBits === 0) return new Uint8Array(0);
  return outputBits <= DIRECT_LIMIT ? direct(key, seed, outputBits) : transformed(key, seed, outputBits);
}

/**
 * Adds the seed window of every one bit. The windows that start at the same bit of a word are added without shifting, and each
 * of the 32 sums is shifted once.
 */
export function direct(key: Uint8Array, seed: Uint8Array, outputBits: number): Uint8Array {
  const n = 8 * key.length;
  const width = wordLength(outputBits) + 1;
  const windows = toWords(seed, wordLength(n + outputBits) + 1);
  const sums = new Uint32Array(32 * width);
  for (let i = 0; i < key.length; i++) {
    let byte = key[i] as number;
    while (byte !== 0) {
      const lead = Math.clz32(byte) - 24;
      byte ^= 128 >>> lead;
      const start = n - 1 - (8 * i + lead);
      const from = start >>> 5;
      const to = (start & 31) * width;
      for (let w = 0; w < width; w++) sums[to + w] = (sums[to + w] as number) ^ (windows[from + w] as number);
    }
  }
  const out = new Uint32Array(width);
  for (let shift = 0; shift < 32; shift++) {
    const at = shift * width;
    for (let w = 0; w + 1 < width; w++) {
      const high = (sums[at + w] as number) << shift;
      const low = shift === 0 ? 0 : (sums[at + w + 1] as number) >>> (32 - shift);
      out[w] = (out[w] as number) ^ high ^ low;
    }
  }
  return fromWords(out, outputBits);
}

/** The same product as a correlation of the seed with the key, reduced mod 2. */
export function transformed(key: Uint8Array, seed: Uint8Array, outputBits: number): Uint8Array {
  const n = 8 * key.length;
  const counts = correlate(key, n, seed, n + outputBits - 1);
  const out = new Uint8Array(byteLength(outputBits));
  for (let i = 0; i < outputBits; i++) {
    // The counts are integers but for rounding; their parity is the sum over GF(2).
    if (Math.round(counts[n - 1 + i] as number) & 1) out[i >>> 3] = (out[i >>> 3] as number) | (128 >>> (i & 7));
  }
  return out;
}
