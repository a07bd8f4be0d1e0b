import type { BlobChunk, BlobProgress } from '@qsec2/sdk/wire';

/** Why a chunk is not stored. `quota`: the room, or the relay, keeps as much as it may. `owner`: another member made the blob. */
export type PutRefusal = 'quota' | 'owner';

/** A chunk on its way in. */
export interface Put {
  room: string;
  blob: string;
  /** Seat of the member who stores it. */
  owner: string;
  index: number;
  last: boolean;
  chunk: Buffer;
}

/** Keeps sealed files. Rooms are named by the keyed hash of their id, blobs by the random id that their sender chose. */
export interface BlobStore {
  /** Resolves when the chunk is stored as safely as the relay promises; see the wire contract for repetitions and gaps. */
  put(put: Put): Promise<BlobProgress | PutRefusal>;
  /** @returns undefined when there is no such blob */
  get(room: string, blob: string, index: number | undefined): Promise<BlobChunk | undefined>;
  /** @returns false when the blob is someone else's */
  drop(room: string, blob: string, owner: string): Promise<boolean>;
  /** Deletes everything of a room. */
  endRoom(room: string): Promise<void>;
  /** Deletes what is too old, what nobody goes on sending, and what belongs to no room. */
  sweep(): Promise<void>;
  figures(): BlobFigures;
  close(): Promise<void>;
}

/** For the relay's metrics. */
export interface BlobFigures {
  /** Kept at the moment. */
  blobs: number;
  bytes: number;
  /** Since the relay started. */
  chunksStored: number;
  chunksSent: number;
  refusedByQuota: number;
  /** Deleted because their time was up. */
  expired: number;
}

/** Bounds of a store. */
export interface BlobStoreLimits {
  roomBytes: number;
  totalBytes: number;
  retentionMs: number;
  /** An unfinished blob that nobody added to for so long is given up. */
  unfinishedMs: number;
}
