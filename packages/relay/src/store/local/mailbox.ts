import type { RoomTerms } from '../store.ts';
import type { RoomState } from './room-state.ts';

/** Places kept in mind beyond the mailbox: more than a member may have pushed without an acknowledgement, so that a repeated push is known. */
const KNOWN_BEYOND_FLOOR = 4096;

interface NewRoom {
  key: string;
  id: number;
  epoch: string;
  terms: RoomTerms;
  now: number;
}

export function makeRoom({ now, ...room }: NewRoom): RoomState {
  return {
    ...room,
    head: 0,
    floor: 0,
    seats: new Map(),
    emptySince: now,
    segments: [],
    bytes: 0,
    known: new Map(),
    watcher: undefined,
    trimmable: false,
  };
}

/** Raises the floor to what every seat has confirmed. */
export function trimReceived(room: RoomState): void {
  room.trimmable = false;
  let received = room.head;
  for (const seat of room.seats.values()) received = Math.min(received, seat.received);
  raiseFloor(room, received);
}

/** Raises the floor past frames older than `before`. */
export function trimExpired(room: RoomState, before: number): void {
  let last = room.floor;
  for (const segment of room.segments) {
    if (segment.time >= before) break;
    last = segment.last;
  }
  raiseFloor(room, last);
}

/** Gives up the oldest segment. False when there is none, or when `needed` says someone has yet to be sent a part of it. */
export function dropOldest(room: RoomState, needed: number): boolean {
  const [oldest] = room.segments;
  if (!oldest || oldest.last > needed) return false;
  raiseFloor(room, oldest.last);
  return true;
}

/** Drops identities of frames that are no longer kept and that nobody can still be waiting for. */
export function forgetIdentities(room: RoomState): void {
  const limit = Math.min(room.floor, room.head - KNOWN_BEYOND_FLOOR);
  for (const [id, seq] of room.known) {
    if (seq > limit) break;
    room.known.delete(id);
  }
}

function raiseFloor(room: RoomState, floor: number): void {
  if (floor <= room.floor) return;
  room.floor = floor;
  let dropped = 0;
  for (const segment of room.segments) {
    if (segment.last > floor) break;
    room.bytes -= segment.bytes;
    dropped++;
  }
  if (dropped > 0) room.segments.splice(0, dropped);
}
