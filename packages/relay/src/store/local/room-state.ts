import type { RoomTerms, Watcher } from '../store.ts';

/** A seat as one process keeps it. */
export interface SeatState {
  secretHash: Uint8Array;
  /** The connection that has it; undefined while away. */
  holder: string | undefined;
  /** Since when nobody has it. */
  awaySince: number;
  /** Last sequence number the member said it has. */
  received: number;
}

/** Frames written together: what one tick added to a room's log. */
export interface Segment {
  first: number;
  last: number;
  time: number;
  bytes: number;
}

/** A room in memory: everything but the bodies of its frames. */
export interface RoomState {
  readonly key: string;
  /** Its number in the journal. */
  readonly id: number;
  epoch: string;
  readonly terms: RoomTerms;
  head: number;
  /** Frames up to and including this one are no longer kept. */
  floor: number;
  readonly seats: Map<string, SeatState>;
  /** Since when nobody has a seat. */
  emptySince: number;
  /** What is kept, oldest first. */
  segments: Segment[];
  bytes: number;
  /** (sender, client id) → place, in the order of the places. */
  readonly known: Map<string, number>;
  watcher: Watcher | undefined;
  /** A member confirmed receipt since the last sweep. */
  trimmable: boolean;
}

export const identity = (from: string, cid: string): string => from + cid;
