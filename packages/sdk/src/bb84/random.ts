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
 * `length` independent bits that are one with the given probability, packed. The probability is met to within 2⁻¹⁶:
 * it is the binary fraction whose digits are folded in from the least significant on, one uniform bit string a digit.
 */
export function biasedBits(length: number, probability: number): Uint8Array {
  if (probability === 0.5) return randomBits(length);
  let digits = Math.round(probability * 65536);
  const out = new Uint8Array(byteLength(length));
  if (digits >= 65536) return clearTail(out.fill(255), length);
  // Trailing zero digits leave the string at zero, so they can be skipped.
  let left = 16;
  while (left > 0 && (digits & 1) === 0) {
    digits >>>= 1;
    left--;
  }
  for (; left > 0; left--, digits >>>= 1) {
    const uniform = randomBytes(out.length);
    if (digits & 1) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) | (uniform[i] as number);
    else for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) & (uniform[i] as number);
  }
  return clearTail(out, length);
}
