import { QsecError } from '../errors.ts';
import { platformCrypto } from '../platform/crypto.ts';
import { type Bytes, concat } from '../wire/index.ts';

/** AES-256-GCM (NIST SP 800-38D), each key for one message. */

export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** The nonce of a key that seals once. */
export const FIRST_NONCE: Bytes = new Uint8Array(NONCE_BYTES);

/** A nonce that counts the messages under one key: the counter in its last four bytes. */
export function counterNonce(counter: number): Bytes {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(NONCE_BYTES - 4, counter);
  return nonce;
}

/** Encrypts and authenticates; the result is ciphertext | tag 16. */
export async function seal(key: Uint8Array, nonce: Bytes, plaintext: Uint8Array, additionalData: Bytes): Promise<Bytes> {
  return (await platformCrypto.cipher(key as Bytes)).seal(nonce, additionalData, plaintext as Bytes);
}

/** @throws {QsecError} `HANDSHAKE_FAILED` when the box was not sealed with this key, nonce and additional data. */
export async function open(key: Uint8Array, nonce: Bytes, box: Uint8Array, additionalData: Bytes): Promise<Bytes> {
  const cipher = await platformCrypto.cipher(key as Bytes);
  try {
    return await cipher.open(nonce, additionalData, box as Bytes);
  } catch (cause) {
    throw new QsecError('HANDSHAKE_FAILED', 'A box does not open: it was changed, or sealed by someone else.', { cause });
  }
}

/** Reuse guard (RFC 9420 §6.3.1): four random bytes that keep two copies of one ratchet from repeating a nonce. */
export function guardNonce(nonce: Bytes, guard: Uint8Array): Bytes {
  const guarded = concat(nonce);
  for (let i = 0; i < guard.length; i++) guarded[i] = (guarded[i] as number) ^ (guard[i] as number);
  return guarded;
}
