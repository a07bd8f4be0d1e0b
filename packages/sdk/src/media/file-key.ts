import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Cipher, platformCrypto } from '../platform/crypto.ts';
import { BLOB_ID_BYTES, type Bytes, concat, equalBytes, utf8 } from '../wire/index.ts';

/**
 * The key of one file, in the manner of STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015, §7): the nonce of a chunk is
 * its number and whether it is the last one, so that no chunk can be moved, dropped or put in another's place.
 */

export const FILE_SECRET_BYTES = 32;
export const COMMITMENT_BYTES = 32;

const NONCE_BYTES = 12;
const COUNTER_OFFSET = 3;
const LAST = 1;

/** AES-256-GCM for the chunks of one file, and the commitment to its key. */
export interface FileKey {
  /** Names the file at the relay, and is in what every seal authenticates. */
  readonly id: Bytes;
  readonly secret: Bytes;
  readonly commitment: Bytes;
  readonly cipher: Cipher;
}

/** Draws a key for one file. It must never seal anything else: nonces count from 0. */
export function newFileKey(): Promise<FileKey> {
  const id = crypto.getRandomValues(new Uint8Array(BLOB_ID_BYTES));
  return fileKey(id, crypto.getRandomValues(new Uint8Array(FILE_SECRET_BYTES)));
}

/**
 * Derives what a file's secret stands for. GCM lets a key be found that opens a given box to something else; the commitment,
 * derived beside the key, does not (Albertini et al., USENIX Security 2022, §5.3).
 */
export async function fileKey(id: Bytes, secret: Bytes): Promise<FileKey> {
  const derive = (label: string) => expand(sha256, secret, concat(utf8(`qsec2 v1 file ${label}\0`), id), 32) as Bytes;
  return { id, secret, commitment: derive('commitment'), cipher: await platformCrypto.cipher(derive('key')) };
}

/** Whether `commitment` is the one to this key. */
export const commits = (key: FileKey, commitment: Uint8Array): boolean => equalBytes(key.commitment, commitment);

/** chunk number, 11 bytes | 1 for the last chunk, else 0 */
export function chunkNonce(index: number, last: boolean): Bytes {
  const nonce = new Uint8Array(NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  view.setUint32(COUNTER_OFFSET, Math.floor(index / 2 ** 32));
  view.setUint32(COUNTER_OFFSET + 4, index % 2 ** 32);
  nonce[NONCE_BYTES - 1] = last ? LAST : 0;
  return nonce;
}

export const sealChunk = ({ cipher, id }: FileKey, index: number, last: boolean, content: Bytes): Promise<Bytes> =>
  cipher.seal(chunkNonce(index, last), id, content);

/** Rejects when this key did not seal `box` at this place. */
export const openChunk = ({ cipher, id }: FileKey, index: number, last: boolean, box: Bytes): Promise<Bytes> =>
  cipher.open(chunkNonce(index, last), id, box);
