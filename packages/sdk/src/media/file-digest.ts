import { sha256 } from '@noble/hashes/sha2.js';
import { platformCrypto } from '../platform/crypto.ts';
import { type Bytes, utf8 } from '../wire/index.ts';
import type { FileKey } from './file-key.ts';

export const DIGEST_BYTES = 32;

/**
 * The digest of a sealed file that its sender signs: SHA-256 over the file's id, its key's commitment and the SHA-256 of every
 * sealed chunk, in order. Tags alone would not do, since whoever has the key (every member) can make other chunks with the same
 * tags. Hashed chunk by chunk, the bulk of the work is the platform's, beside the sealing and for several chunks at a time.
 */
export class FileDigest {
  readonly #hash = sha256.create().update(utf8('qsec2 v1 file digest\0'));

  constructor({ id, commitment }: Pick<FileKey, 'id' | 'commitment'>) {
    this.#hash.update(id).update(commitment);
  }

  /** Takes the {@link chunkDigest} of the next chunk. */
  add(digest: Uint8Array): void {
    this.#hash.update(digest);
  }

  finish(): Bytes {
    return this.#hash.digest() as Bytes;
  }
}

export const chunkDigest = (box: Bytes): Promise<Uint8Array> => platformCrypto.sha256(box);
