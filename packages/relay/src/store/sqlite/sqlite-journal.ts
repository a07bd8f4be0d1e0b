import type { Durability } from '@qsec2/sdk/wire';
import { readItems } from '../../frames/item.ts';
import type { Journal } from '../local/journal.ts';
import { identity, type RoomState, type SeatState, type Segment } from '../local/room-state.ts';
import type { RoomTerms } from '../store.ts';
import type { SqliteDatabase } from './database.ts';
import type { DatabaseFiles } from './database-files.ts';
import { prepareStatements, type RoomRow, type Statements } from './statements.ts';

/** Keeps rooms, seats and mailboxes in a SQLite file with a write-ahead log. */
export class SqliteJournal implements Journal {
  readonly durability: Durability;
  readonly #sql: Statements;
  readonly #transaction: (changes: () => void) => void;
  readonly #retentionMs: number;
  readonly #files: DatabaseFiles;

  constructor(db: SqliteDatabase, files: DatabaseFiles, durability: Durability, now: number, retentionMs: number) {
    this.durability = durability;
    this.#files = files;
    this.#sql = prepareStatements(db);
    this.#retentionMs = retentionMs;
    const transaction = db.raw.transaction((changes: () => void) => changes());
    this.#transaction = transaction.immediate;
    this.commit(() => {
      this.#sql.allAway.run(now);
      this.#sql.allDue.run(now + retentionMs, now);
    });
  }

  commit(changes: () => void): void {
    // What is committed to a file that is gone would be acknowledged, and lost.
    this.#files.checkOften();
    this.#transaction(changes);
  }

  insertRoom(key: string, epoch: string, { tokenHash, endTokenHash, capacity }: RoomTerms, now: number): number {
    const row = [key, epoch, tokenHash, endTokenHash, capacity, now, 0, 0, now, now + this.#retentionMs];
    return Number(this.#sql.insertRoom.run(...row).lastInsertRowid);
  }

  loadRoom(key: string): Omit<RoomState, 'watcher' | 'trimmable'> | undefined {
    const row = this.#sql.room.get(key);
    if (!row) return undefined;
    return {
      ...this.#loadLog(row),
      key,
      id: row.id,
      epoch: row.epoch,
      terms: terms(row),
      seats: this.#loadSeats(row),
      emptySince: row.empty_since,
    };
  }

  saveRoom(room: RoomState, due: number): void {
    this.#sql.saveRoom.run(room.head, room.floor, room.emptySince, due, room.id);
    for (const [seat, state] of room.seats) this.saveSeat(room, seat, state);
  }

  saveEpoch(room: RoomState, epoch: string): void {
    this.#sql.saveEpoch.run(epoch, room.id);
  }

  deleteRoom(room: RoomState): void {
    this.#sql.deleteSegments.run(room.id, room.head + 1);
    this.#sql.deleteMembers.run(room.id);
    this.#sql.deleteRoom.run(room.id);
  }

  dueRooms(now: number, limit: number): string[] {
    return this.#sql.dueRooms.all(now, limit).map(({ room_hash }) => room_hash);
  }

  saveSeat(room: RoomState, seat: string, { secretHash, holder, awaySince, received }: SeatState): void {
    this.#sql.saveMember.run(room.id, seat, secretHash, holder === undefined ? awaySince : 0, received);
  }

  deleteSeat(room: RoomState, seat: string): void {
    this.#sql.deleteMember.run(room.id, seat);
  }

  insertSegment(room: RoomState, { first, last, time }: Segment, items: Buffer): void {
    this.#sql.insertSegment.run(room.id, first, last, time, items);
  }

  readSegment(room: RoomState, first: number): Buffer {
    return this.#sql.segment.get(room.id, first)?.items ?? Buffer.alloc(0);
  }

  deleteSegments(room: RoomState): void {
    this.#sql.deleteSegments.run(room.id, room.segments[0]?.first ?? room.head + 1);
  }

  counts(): { rooms: number; seats: number } {
    return this.#sql.counts.get() ?? { rooms: 0, seats: 0 };
  }

  check(): void {
    this.#files.check();
    // A write that changes nothing still takes the write lock and fails on a full or read-only disk at commit.
    this.commit(() => this.#sql.deleteRoom.run(-1));
  }

  close(): void {
    // The database is closed by who opened it: the event log uses it too.
  }

  #loadSeats({ id }: RoomRow): Map<string, SeatState> {
    const seats = new Map<string, SeatState>();
    for (const { seat, secret_hash, away_since, recv_seq } of this.#sql.members.all(id)) {
      seats.set(seat, { secretHash: secret_hash, holder: undefined, awaySince: away_since, received: recv_seq });
    }
    return seats;
  }

  #loadLog({ id, head_seq, floor_seq }: RoomRow) {
    const segments: Segment[] = [];
    const known = new Map<string, number>();
    let head = head_seq;
    let bytes = 0;
    for (const row of this.#sql.segments.iterate(id)) {
      segments.push({ first: row.first_seq, last: row.last_seq, time: row.ts, bytes: row.items.length });
      bytes += row.items.length;
      head = Math.max(head, row.last_seq);
      for (const frame of readItems(row.items)) known.set(identity(frame.from, frame.cid), frame.seq);
    }
    const floor = Math.max(floor_seq, (segments[0]?.first ?? head + 1) - 1);
    return { segments, known, head, bytes, floor };
  }
}

const terms = (row: RoomRow): RoomTerms => ({
  tokenHash: row.token_hash,
  endTokenHash: row.end_token_hash,
  capacity: row.capacity,
});
