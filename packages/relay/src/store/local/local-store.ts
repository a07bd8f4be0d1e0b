import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { type Frame, joinItems, place, readItems } from '../../frames/item.ts';
import { sameHash } from '../../hashes.ts';
import {
  type AppendRequest,
  type CreateRefusal,
  MAILBOX_FULL,
  NO_SUCH_ROOM,
  type Page,
  type RoomRecord,
  type RoomTerms,
  type Seat,
  type SeatRefusal,
  type SeatRequest,
  type SeatTaken,
  type Store,
  type StoreLimits,
  type StoreObserver,
  type Watcher,
} from '../store.ts';
import type { Journal } from './journal.ts';
import { dropOldest, forgetIdentities, makeRoom, trimExpired, trimReceived } from './mailbox.ts';
import { identity, type RoomState } from './room-state.ts';

const SWEEP_MS = 1000;
/** Rooms nobody is connected to are brought in for their sweep so many at a time. */
const DUE_ROOMS = 200;
/** A sweep makes way for frames after so many rooms that were written, or so many milliseconds. */
const SLICE_ROOMS = 8;
const SLICE_MS = 1;

/** A room to be written, and when it has to be looked at again though nobody is connected. */
interface Changed {
  room: RoomState;
  due: number;
  /** It need not stay in memory. */
  idle: boolean;
}

/** The store of a relay that stands alone: it is the only writer, so that order, seats and identities live in its memory. */
export class LocalStore implements Store {
  readonly order = 'local';
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #limits: StoreLimits;
  readonly #rooms = new Map<string, RoomState>();
  readonly #timer: NodeJS.Timeout;
  readonly #observer: StoreObserver;
  #roomCount: number;
  #sweeping = false;
  #closed = false;

  constructor(journal: Journal, clock: Clock, limits: StoreLimits, observer: StoreObserver) {
    this.#journal = journal;
    this.#clock = clock;
    this.#limits = limits;
    this.#observer = observer;
    this.#roomCount = journal.counts().rooms;
    this.#timer = setInterval(() => {
      if (!this.#sweeping) this.sweep().catch(observer.failed);
    }, SWEEP_MS);
    this.#timer.unref();
  }

  get durability() {
    return this.#journal.durability;
  }

  async create(key: string, terms: RoomTerms): Promise<{ epoch: string } | CreateRefusal> {
    const room = this.#room(key);
    if (room) return sameTerms(room.terms, terms) ? { epoch: room.epoch } : 'conflict';
    if (this.#roomCount >= this.#limits.maxRooms) return 'full';
    const epoch = randomBytes(16).toString('base64url');
    const now = this.#clock.now();
    let id = 0;
    this.#journal.commit(() => {
      id = this.#journal.insertRoom(key, epoch, terms, now);
    });
    this.#rooms.set(key, makeRoom({ key, id, epoch, terms, now }));
    this.#roomCount++;
    return { epoch };
  }

  async find(key: string): Promise<RoomRecord | undefined> {
    const room = this.#room(key);
    return room && { ...room.terms, epoch: room.epoch };
  }

  async takeSeat(key: string, { seat, secretHash, holder, since }: SeatRequest): Promise<SeatTaken | SeatRefusal> {
    const room = this.#room(key);
    if (!room) return 'no room';
    const known = room.seats.get(seat);
    if (known && !sameHash(known.secretHash, secretHash)) return 'taken';
    if (!known && room.seats.size >= room.terms.capacity) return 'room full';
    if (since?.epoch === room.epoch && since.seq > room.head) this.#renew(room);
    const state = known ?? { secretHash, holder, awaySince: 0, received: room.head };
    this.#journal.commit(() => this.#journal.saveSeat(room, seat, { ...state, holder }));
    state.holder = holder;
    room.seats.set(seat, state);
    room.watcher?.seatsChanged();
    const { epoch, head, floor } = room;
    return { epoch, head, floor, resumed: known !== undefined, seats: listSeats(room) };
  }

  async releaseSeat(key: string, seat: string, holder: string): Promise<void> {
    const room = this.#room(key);
    const state = room?.seats.get(seat);
    if (!room || state?.holder !== holder) return;
    // Whether or not it can be written: nobody has the seat, and after a start everyone counts as away.
    Object.assign(state, { holder: undefined, awaySince: this.#clock.now() });
    room.watcher?.seatsChanged();
    this.#journal.commit(() => this.#journal.saveSeat(room, seat, state));
  }

  async leaveSeat(key: string, seat: string): Promise<void> {
    const room = this.#room(key);
    if (room?.seats.has(seat)) this.#removeSeats(room, [seat]);
  }

  async seats(key: string): Promise<Seat[]> {
    const room = this.#room(key);
    return room ? listSeats(room) : [];
  }

  received(key: string, seat: string, upTo: number): void {
    const room = this.#rooms.get(key);
    const state = room?.seats.get(seat);
    if (!room || !state || upTo <= state.received) return;
    state.received = Math.min(upTo, room.head);
    room.trimmable = true;
  }

  async append(requests: readonly AppendRequest[]): Promise<number[]> {
    const places: number[] = [];
    const added = new Map<RoomState, Frame[]>();
    for (const request of requests) places.push(this.#placeOne(request, added));
    if (added.size === 0) return places;
    const time = this.#clock.now();
    const written = [...added].map(([room, frames]) => {
      const items = joinItems(frames);
      const segment = { first: frames[0]!.seq, last: frames.at(-1)!.seq, time, bytes: items.length };
      return { room, frames, items, segment };
    });
    this.#journal.commit(() => {
      for (const { room, items, segment } of written) this.#journal.insertSegment(room, segment, items);
    });
    for (const { room, frames, segment } of written) {
      room.head = segment.last;
      room.segments.push(segment);
      room.bytes += segment.bytes;
      for (const frame of frames) room.known.set(identity(frame.from, frame.cid), frame.seq);
      room.watcher?.frames(frames);
    }
    return places;
  }

  async read(key: string, after: number, bytes: number): Promise<Page> {
    const room = this.#room(key);
    if (!room) return { frames: [], floor: after, head: after };
    const frames: Frame[] = [];
    let size = 0;
    for (const segment of room.segments) {
      if (segment.last <= after) continue;
      if (size > 0 && size + segment.bytes > bytes) break;
      for (const frame of readItems(this.#journal.readSegment(room, segment.first))) {
        if (frame.seq > after && frame.seq > room.floor) frames.push(frame);
      }
      size += segment.bytes;
    }
    return { frames, floor: room.floor, head: room.head };
  }

  relayTransient(): void {
    // A relay that stands alone has nobody to tell.
  }

  async end(key: string): Promise<void> {
    const room = this.#room(key);
    if (room) this.#end(room, 'ended');
  }

  async watch(key: string, watcher: Watcher): Promise<{ head: number }> {
    const room = this.#room(key);
    if (!room) return { head: 0 };
    room.watcher = watcher;
    return { head: room.head };
  }

  unwatch(key: string): void {
    const room = this.#rooms.get(key);
    if (room) room.watcher = undefined;
  }

  async check(): Promise<void> {
    this.#journal.check();
  }

  async counts() {
    return this.#journal.counts();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed = true;
    // What cannot be written any more is no reason to stay.
    this.#each(() => this.#save([...this.#rooms.values()].map((room) => this.#setAside(room))));
    this.#journal.close();
  }

  async sweep(): Promise<void> {
    this.#sweeping = true;
    try {
      const now = this.#clock.now();
      for (const key of this.#journal.dueRooms(now, DUE_ROOMS)) this.#each(() => this.#room(key));
      const rooms = this.#rooms.values();
      while (!this.#closed && this.#sweepSlice(rooms, now)) await new Promise((resolve) => setImmediate(resolve));
    } finally {
      this.#sweeping = false;
    }
  }

  /** Sweeps the next few rooms and writes what changed in them in one commit. @returns whether there are more. */
  #sweepSlice(rooms: Iterator<RoomState>, now: number): boolean {
    const began = performance.now();
    const changed: Changed[] = [];
    let more = true;
    while (more && changed.length < SLICE_ROOMS && performance.now() - began < SLICE_MS) {
      const { value: room, done } = rooms.next();
      more = !done;
      if (room) this.#each(() => changed.push(...this.#sweepRoom(room, now)));
    }
    try {
      this.#save(changed);
    } catch {
      // One that cannot be written is no reason to leave the others as they are.
      for (const room of changed) this.#each(() => this.#save([room]));
    }
    return more;
  }

  #save(changed: readonly Changed[]): void {
    if (changed.length === 0) return;
    this.#journal.commit(() => {
      for (const { room, due } of changed) {
        this.#journal.deleteSegments(room);
        this.#journal.saveRoom(room, due);
      }
    });
    for (const { room, idle } of changed) {
      if (idle) this.#rooms.delete(room.key);
      else forgetIdentities(room);
    }
  }

  /** A room that cannot be read is no reason to leave the others as they are. */
  #each(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      this.#observer.failed(error);
    }
  }

  /** @returns what is to be written of it, if anything. */
  #sweepRoom(room: RoomState, now: number): Changed[] {
    const { retentionMs } = this.#limits;
    const gone: string[] = [];
    let idle = !room.watcher;
    for (const [seat, { holder, awaySince }] of room.seats) {
      if (holder !== undefined) idle = false;
      else if (awaySince + retentionMs <= now) gone.push(seat);
    }
    if (gone.length > 0) {
      this.#removeSeats(room, gone);
      for (const seat of gone) this.#observer.gone(room.key, seat);
    }
    if (room.seats.size === 0 && room.emptySince + retentionMs <= now) {
      this.#end(room, 'expired');
      return [];
    }
    const floor = room.floor;
    if (room.trimmable) trimReceived(room);
    trimExpired(room, now - retentionMs);
    if (idle) return [this.#setAside(room)];
    return room.floor > floor ? [{ room, due: now + retentionMs, idle: false }] : [];
  }

  /** A room nobody is connected to is forgotten until it is asked for, or until something in it is due. */
  #setAside(room: RoomState): Changed {
    const { retentionMs } = this.#limits;
    const oldest = room.segments[0]?.time ?? Number.POSITIVE_INFINITY;
    const seats = [...room.seats.values()].map(({ awaySince }) => awaySince);
    const due = Math.min(oldest, ...(seats.length === 0 ? [room.emptySince] : seats)) + retentionMs;
    return { room, due, idle: true };
  }

  #removeSeats(room: RoomState, seats: readonly string[]): void {
    this.#journal.commit(() => {
      for (const seat of seats) this.#journal.deleteSeat(room, seat);
    });
    for (const seat of seats) room.seats.delete(seat);
    if (room.seats.size === 0) room.emptySince = this.#clock.now();
    room.trimmable = true;
    room.watcher?.seatsChanged();
  }

  #renew(room: RoomState): void {
    const epoch = randomBytes(16).toString('base64url');
    this.#journal.commit(() => this.#journal.saveEpoch(room, epoch));
    room.epoch = epoch;
    room.watcher?.renewed();
  }

  #end(room: RoomState, reason: 'ended' | 'expired'): void {
    this.#journal.commit(() => this.#journal.deleteRoom(room));
    this.#rooms.delete(room.key);
    this.#roomCount--;
    room.watcher?.ended(reason);
    this.#observer.ended(room.key, reason);
  }

  #placeOne({ room: key, frame }: AppendRequest, added: Map<RoomState, Frame[]>): number {
    const room = this.#room(key);
    if (!room?.seats.has(frame.from)) return NO_SUCH_ROOM;
    const fresh = added.get(room);
    const known = room.known.get(identity(frame.from, frame.cid));
    if (known !== undefined) return known;
    const twin = fresh?.find(({ from, cid }) => from === frame.from && cid === frame.cid);
    if (twin) return twin.seq;
    if (!this.#hasSpace(room, fresh?.length ?? 0, frame.item.length)) return MAILBOX_FULL;
    place(frame, room.head + (fresh?.length ?? 0) + 1);
    if (fresh) fresh.push(frame);
    else added.set(room, [frame]);
    return frame.seq;
  }

  /** Room for one more frame; the oldest go first, unless a member who is connected has yet to be sent them. */
  #hasSpace(room: RoomState, fresh: number, bytes: number): boolean {
    const { roomBytes, roomFrames } = this.#limits;
    const fits = () => room.bytes + bytes <= roomBytes && room.head - room.floor + fresh < roomFrames;
    if (fits()) return true;
    trimReceived(room);
    const needed = room.watcher?.lowestCursor() ?? Number.POSITIVE_INFINITY;
    while (!fits() && dropOldest(room, needed)) {
      // One segment at a time, no more than it takes.
    }
    this.#journal.commit(() => {
      this.#journal.deleteSegments(room);
      // The head stands in the room's row from now on: it must not go back when no segment is left to tell it.
      this.#journal.saveRoom(room, this.#clock.now() + this.#limits.retentionMs);
    });
    return fits();
  }

  #room(key: string): RoomState | undefined {
    const loaded = this.#rooms.get(key);
    if (loaded) return loaded;
    const stored = this.#journal.loadRoom(key);
    if (!stored) return undefined;
    const room = { ...stored, watcher: undefined, trimmable: true };
    this.#rooms.set(key, room);
    return room;
  }
}

function listSeats(room: RoomState): Seat[] {
  return [...room.seats].map(([seat, { holder }]) => ({ seat, holder, presence: holder === undefined ? 'away' : 'present' }));
}

function sameTerms(a: RoomTerms, b: RoomTerms): boolean {
  return a.capacity === b.capacity && sameHash(a.tokenHash, b.tokenHash) && sameHash(a.endTokenHash, b.endTokenHash);
}
