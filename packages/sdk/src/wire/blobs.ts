import type { Base64url, Reply } from './events.ts';

/**
 * Sealed files at the relay. A blob is a row of chunks that its sender appends in order and every member of the room reads by
 * index. Every chunk but the last has exactly {@link BLOB_CHUNK_BYTES}, so that the relay learns a padded length and no more.
 */

export const BLOB_ID_BYTES = 16;
/** 64 KiB of content and the tag of its seal. */
export const BLOB_CHUNK_BYTES = 65_552;
/** The last chunk holds at least the tag and one byte. */
export const MIN_BLOB_CHUNK_BYTES = 17;

/** What the relay announces about files at join; absent where it keeps none. */
export interface BlobLimits {
  /** Most bytes of sealed chunks kept for a room. */
  roomBytes: number;
  /** How long a blob is kept, milliseconds. */
  retentionMs: number;
  /** Most requests about blobs a connection may have without a reply. */
  inFlight: number;
}

export interface BlobPutRequest {
  /** base64url of {@link BLOB_ID_BYTES} random bytes, chosen by the sender. */
  blob: Base64url;
  /** Place of the chunk, from 0. */
  index: number;
  /** This is the blob's last chunk. */
  last: boolean;
}

export interface BlobGetRequest {
  blob: Base64url;
  /** Absent: tell how far the blob got, and send no chunk. */
  index?: number;
}

export interface BlobDropRequest {
  blob: Base64url;
}

/** How far a blob got: its chunks 0 … `chunks - 1` are stored. */
export interface BlobProgress {
  chunks: number;
  /** The last chunk is among them. */
  complete: boolean;
}

export interface BlobChunk extends BlobProgress {
  /** The chunk asked for; absent when none was, or when it is not there yet. */
  data?: Uint8Array;
}

/** Socket.IO events from a client to the relay about blobs. Only members of a room reach its blobs. */
export interface BlobRequests {
  /**
   * Stores a chunk. One that is stored already is answered like the first time and changes nothing; one beyond the first missing
   * place is not stored, which the reply shows. The first put makes the blob, and its member alone may add to it.
   */
  'blob:put'(request: BlobPutRequest, chunk: Uint8Array, reply: (reply: Reply<BlobProgress>) => void): void;
  'blob:get'(request: BlobGetRequest, reply: (reply: Reply<BlobChunk>) => void): void;
  /** Deletes a blob of one's own. One that is not there is a success. */
  'blob:drop'(request: BlobDropRequest, reply: (reply: Reply<true>) => void): void;
}
