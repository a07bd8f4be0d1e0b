import type { Durability } from '@qsec2/sdk/wire';
import type { RoomTerms } from '../store.ts';
import type { RoomState, SeatState, Segment } from './room-state.ts';

/** Where a single relay writes what it must not lose. Every call is synchronous; changes belong in {@link Journal.commit}. */
export interface Journal {
  readonly durability: Durability;
  /** Runs `changes` as one transaction, committed when it returns. Nothing of it stays when it throws. */
  commit(changes: () => void): void;

  insertRoom(key: string, epoch: string, terms: RoomTerms, now: number): number;
  /** With its seats, its segments and the identities of the frames kept. */
  loadRoom(key: string): Omit<RoomState, 'watcher' | 'trimmable'> | undefined;
  /** When the room has to be looked at again though nobody is connected. */
  saveRoom(room: RoomState, due: number): void;
  saveEpoch(room: RoomState, epoch: string): void;
  deleteRoom(room: RoomState): void;
  /** Rooms to be looked at by `now`. */
  dueRooms(now: number, limit: number): string[];

  saveSeat(room: RoomState, seat: string, state: SeatState): void;
  deleteSeat(room: RoomState, seat: string): void;

  insertSegment(room: RoomState, segment: Segment, items: Buffer): void;
  /** Items of the segment that starts at `first`. */
  readSegment(room: RoomState, first: number): Buffer;
  /** Forgets segments that end at or before the floor. */
  deleteSegments(room: RoomState): void;

  counts(): { rooms: number; seats: number };
  /** Throws when nothing can be written. */
  check(): void;
  close(): void;
}
