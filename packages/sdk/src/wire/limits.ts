import type { BlobLimits } from './blobs.ts';

/** Sizes fixed by the protocol. What an operator can change is announced at join ({@link RelayLimits}). */

/** Of this contract: raised when one side could misunderstand the other. */
export const WIRE_VERSION = 1;

export const ROOM_ID_BYTES = 16;
export const TOKEN_BYTES = 32;
export const SEAT_BYTES = 16;
export const SEAT_SECRET_BYTES = 32;
/** A client id makes a push idempotent: the relay stores a (sender, client id) pair once. */
export const CLIENT_ID_BYTES = 16;

export const MIN_CAPACITY = 2;
export const MAX_CAPACITY = 16;

/** Largest body of one frame, unless the operator allows less. */
export const MAX_FRAME_BYTES = 262_144;
/** Largest number of frames in one `push` event. */
export const MAX_PUSHES = 256;

/** What the relay announces to a member at join. */
export interface RelayLimits {
  /** Largest body of one frame, bytes. */
  frameBytes: number;
  /** Most frames a member may have pushed without an acknowledgement. */
  inFlightFrames: number;
  /** Most bytes a member may have pushed without an acknowledgement. */
  inFlightBytes: number;
  /** How long a mailbox is kept for a member who is away, milliseconds. */
  retentionMs: number;
  /** Absent: this relay keeps no files. */
  blobs?: BlobLimits;
}
