import { bytes, invalid } from './arguments.ts';

/** The largest prime below 2⁶⁴. */
export const PRIME = 2n ** 64n - 59n;
/** Key bytes a coefficient: 7, so that every coefficient is below the prime. */
const BLOCK = 7;
/** Bytes of one evaluation, and of the seed it needs. */
const WIDTH = 8;

/**
 * Probability that two different keys of `bits` bits have equal tags of `tagBytes` bytes: (L + 60) / 2⁶⁴ to the power of the
 * number of evaluations. L + 1 bounds the roots of the difference, L being the key's 7-byte blocks; 59 of the points are
 * twice as likely as the others, because the seed is 64 uniform bits taken mod p.
 */
export const tagCollision = (bits: number, tagBytes: number): number =>
  ((Math.ceil(bits / (8 * BLOCK)) + 60) / 2 ** 64) ** (tagBytes / WIDTH);

/** Tag size in bytes, a multiple of 8, that keeps {@link tagCollision} at or below `epsilon`. */
export function tagLength(bits: number, epsilon: number): number {
  let bytes = WIDTH;
  while (tagCollision(bits, bytes) > epsilon) bytes += WIDTH;
  return bytes;
}

const toBigInt = (bytes: Uint8Array): bigint => {
  let value = 0n;
  for (let i = 0; i < bytes.length; i += 4) {
    const take = Math.min(4, bytes.length - i);
    let word = 0;
    for (let j = 0; j < take; j++) word = word * 256 + (bytes[i + j] as number);
    value = (value << BigInt(8 * take)) | BigInt(word);
  }
  return value;
};

/**
 * An ε-almost-universal hash: the key's 7-byte blocks and its length are the coefficients of a polynomial over the integers
 * mod 2⁶⁴ − 59, evaluated at the seed; one 8-byte value for each 8 bytes of seed (Stinson, "On the connections between
 * universal hashing, combinatorial designs and error-correcting codes", 1996).
 *
 * @param key the bytes to compare.
 * @param seed a multiple of 8 fresh uniform bytes, public, drawn after the key is fixed.
 * @returns as many bytes as `seed` has. Equal keys have equal tags; see {@link tagCollision} for different ones.
 * @throws INVALID_ARGUMENT when the seed has another length.
 */
export function universalTag(key: Uint8Array, seed: Uint8Array): Uint8Array {
  bytes('key', key);
  if (bytes('seed', seed).length === 0 || seed.length % WIDTH !== 0) throw invalid('seed', `a multiple of ${WIDTH} bytes`, seed);
  const coefficients: bigint[] = [BigInt(key.length + 1)];
  for (let at = 0; at < key.length; at += BLOCK) coefficients.push(toBigInt(key.subarray(at, at + BLOCK)));
  const tag = new DataView(new ArrayBuffer(seed.length));
  for (let part = 0; part < seed.length; part += WIDTH) {
    const point = toBigInt(seed.subarray(part, part + WIDTH)) % PRIME;
    let value = 0n;
    for (const coefficient of coefficients) value = ((value + coefficient) * point) % PRIME;
    tag.setBigUint64(part, value);
  }
  return new Uint8Array(tag.buffer);
}
