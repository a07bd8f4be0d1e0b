import { expand, extract as hkdfExtract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, concat, utf8, Writer } from '../wire/index.ts';

/**
 * The key schedule: HKDF-SHA-256 (RFC 5869) in the shape of TLS 1.3 (RFC 8446 §7.1), and the hashes around it.
 *
 * It is synchronous on purpose: a chain key has to be gone before anything else can run, which an `await` cannot promise.
 */

/** Length of every hash, MAC and chained secret, bytes. */
export const HASH_BYTES = 32;

const PREFIX = 'qsec2 v1 ';

/** SHA-256 over the parts, one after the other. */
export const hash = (...parts: readonly Uint8Array[]): Bytes => sha256(concat(...parts)) as Bytes;

/** HMAC-SHA-256. */
export const mac = (key: Uint8Array, message: Uint8Array): Bytes => hmac(sha256, key, message) as Bytes;

/** HKDF-Extract. `salt` and `secret` may be empty. */
export const extract = (salt: Uint8Array, secret: Uint8Array): Bytes => hkdfExtract(sha256, secret, salt) as Bytes;

/**
 * HKDF-Expand-Label (RFC 8446 §7.1) under this protocol's prefix; written EL in docs/protocol.md.
 *
 * @param context at most 255 bytes, mostly a transcript hash
 * @param length bytes wanted, 32 unless told
 */
export function expandLabel(secret: Uint8Array, label: string, context: Uint8Array, length = HASH_BYTES): Bytes {
  return expandInfo(secret, labelInfo(label, context, length), length);
}

/** HkdfLabel (RFC 8446 §7.1), for who expands many secrets with the same one. */
export function labelInfo(label: string, context: Uint8Array, length: number): Bytes {
  const name = utf8(PREFIX + label);
  return new Writer().u16(length).u8(name.length).fixed(name).u8(context.length).fixed(context).bytes();
}

/** HKDF-Expand. */
export const expandInfo = (secret: Uint8Array, info: Uint8Array, length: number): Bytes =>
  expand(sha256, secret, info, length) as Bytes;

/** What a signature or hash is about, in front of its input, so that none can stand in for another. */
export const purpose = (name: string): Bytes => concat(utf8(PREFIX + name), new Uint8Array(1));

/** Overwrites secrets that are no longer needed. */
export function erase(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

export const NOTHING: Bytes = new Uint8Array(0);
