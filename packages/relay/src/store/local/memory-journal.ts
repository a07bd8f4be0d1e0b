import type { RoomTerms } from '../store.ts';
import type { Journal } from './journal.ts';
import { makeRoom } from './mailbox.ts';
import type { RoomState, Segment } from './room-state.ts';

interface Kept {
  room: Omit<RoomState, 'watcher' | 'trimmable'>;
  due: number;
  segments: Map<number, Buffer>;
}

/** Keeps everything in memory: nothing survives the process, and a relay that starts again gives its rooms new epochs. */
export class MemoryJournal implements Journal {
  readonly durability = 'memory';
  readonly #rooms = new Map<string, Kept>();
  readonly #byId: Map<number, Kept> = new Map();
  #nextId = 1;

  commit(changes: () => void): void {
    changes();
  }

  insertRoom(key: string, epoch: string, terms: RoomTerms, now: number): number {
    const id = this.#nextId++;
    const kept = { room: makeRoom({ key, id, epoch, terms, now }), due: Number.POSITIVE_INFINITY, segments: new Map() };
    this.#rooms.set(key, kept);
    this.#byId.set(id, kept);
    return id;
  }

  loadRoom(key: string): Kept['room'] | undefined {
    return this.#rooms.get(key)?.room;
  }

  saveRoom(room: RoomState, due: number): void {
    const kept = this.#byId.get(room.id);
    if (!kept) return;
    kept.room = room;
    kept.due = due;
  }

  saveEpoch(room: RoomState): void {
    this.saveSeat(room);
  }

  deleteRoom(room: RoomState): void {
    this.#rooms.delete(room.key);
    this.#byId.delete(room.id);
  }

  dueRooms(now: number, limit: number): string[] {
    const due: string[] = [];
    for (const [key, kept] of this.#rooms) {
      if (kept.due <= now) due.push(key);
      if (due.length === limit) break;
    }
    return due;
  }

  saveSeat(room: RoomState): void {
    const kept = this.#byId.get(room.id);
    if (kept) kept.room = room;
  }

  deleteSeat(room: RoomState): void {
    this.saveSeat(room);
  }

  insertSegment(room: RoomState, segment: Segment, items: Buffer): void {
    this.#byId.get(room.id)?.segments.set(segment.first, items);
  }

  readSegment(room: RoomState, first: number): Buffer {
    return this.#byId.get(room.id)?.segments.get(first) ?? Buffer.alloc(0);
  }

  deleteSegments(room: RoomState): void {
    const kept = this.#byId.get(room.id);
    if (!kept) return;
    const oldest = room.segments[0]?.first ?? Number.POSITIVE_INFINITY;
    for (const first of kept.segments.keys()) {
      if (first >= oldest) break;
      kept.segments.delete(first);
    }
  }

  counts() {
    let seats = 0;
    for (const { room } of this.#rooms.values()) seats += room.seats.size;
    return { rooms: this.#rooms.size, seats };
  }

  check(): void {}

  close(): void {
    this.#rooms.clear();
    this.#byId.clear();
  }
}
