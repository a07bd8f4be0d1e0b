import { byteLength, clearTail } from './bits.ts';

/** Web Crypto gives at most this many bytes a call (W3C WebCrypto §10.1.1). */
const QUOTA = 65536;

/** `length` bytes from the platform's cryptographic generator. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += QUOTA) globalThis.crypto.getRandomValues(out.subarray(at, Math.min(length, at + QUOTA)));
  return out;
}

/** `length` uniform bits, packed. */
export const randomBits = (length: number): Uint8Array => clearTail(randomBytes(byteLength(length)), length);

/**
 * `length` independent bits that are one with probability `numerator`/2^`digits`, packed. The probability's binary digits are
 * folded in from the least significant on, one uniform bit string a digit: OR for a one, AND for a zero.
 *
 * @param uniform gives fresh uniform bytes; called once for each digit from the last one on.
 */
export function foldBits(length: number, numerator: number, digits: number, uniform: (bytes: number) => Uint8Array): Uint8Array {
  const out = new Uint8Array(byteLength(length));
  if (numerator >= 2 ** digits) return clearTail(out.fill(255), length);
  let left = digits;
  let rest = numerator;
  // Trailing zero digits leave the string at zero, so they can be skipped.
  for (; left > 0 && (rest & 1) === 0; left--) rest >>>= 1;
  for (; left > 0; left--, rest >>>= 1) {
    const fresh = uniform(out.length);
    if (rest & 1) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) | (fresh[i] as number);
    else for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) & (fresh[i] as number);
  }
  return clearTail(out, length);
}

/** `length` independent bits from the platform's generator that are one with the given probability, met to within 2⁻¹⁷. */
export const biasedBits = (length: number, probability: number): Uint8Array =>
  foldBits(length, Math.round(probability * 65536), 16, randomBytes);
