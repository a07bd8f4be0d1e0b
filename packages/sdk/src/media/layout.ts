import { BLOB_CHUNK_BYTES, padme } from '../wire/index.ts';

/** How a file's content is cut and padded before it is sealed. */

export const TAG_BYTES = 16;
/** Content of every chunk but the last. */
export const CHUNK_BYTES: number = BLOB_CHUNK_BYTES - TAG_BYTES;
/** Small files all look the same. */
export const MIN_PADDED_BYTES = 1024;
/** Largest content this layout takes: chunk numbers stay far below the nonce's counter, sizes exact in a double. */
export const MAX_FILE_BYTES: number = 2 ** 40;

/** What the relay sees of a file of `size` bytes, less the tags: Padmé, and at least {@link MIN_PADDED_BYTES}. */
export const paddedBytes = (size: number): number => Math.max(MIN_PADDED_BYTES, padme(size));

/** Chunks of a file of `size` bytes; at least one. */
export const chunkCount = (size: number): number => Math.ceil(paddedBytes(size) / CHUNK_BYTES);

/** Bytes of all sealed chunks of a file of `size` bytes. */
export const sealedBytes = (size: number): number => paddedBytes(size) + chunkCount(size) * TAG_BYTES;

/** Bytes of the sealed chunk at `index`. */
export function sealedChunkBytes(size: number, index: number): number {
  const before = index * CHUNK_BYTES;
  return Math.min(CHUNK_BYTES, paddedBytes(size) - before) + TAG_BYTES;
}
