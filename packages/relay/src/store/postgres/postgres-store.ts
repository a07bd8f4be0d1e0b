import { randomBytes } from 'node:crypto';
import type { Durability } from '@qsec2/sdk/wire';
import { CompiledQuery, type Kysely, type Transaction } from 'kysely';
import type pg from 'pg';
import type { Clock } from '../../clock.ts';
import type { Schema } from '../../database/schema.ts';
import { type Frame, joinItems, readItems } from '../../frames/item.ts';
import { sameHash } from '../../hashes.ts';
import { Follower } from '../shared/follower.ts';
import { Heartbeat } from '../shared/heartbeat.ts';
import { type Bounds, pageOf } from '../shared/page.ts';
import { Peers } from '../shared/peers.ts';
import { Receipts } from '../shared/receipts.ts';
import { each, Rounds } from '../shared/rounds.ts';
import type {
  AppendRequest,
  CreateRefusal,
  Page,
  RoomRecord,
  RoomTerms,
  Seat,
  SeatRefusal,
  SeatRequest,
  SeatTaken,
  SharedObserver,
  Store,
  StoreLimits,
  Watcher,
} from '../store.ts';
import { appendFrames } from './append.ts';
import { bury } from './bury.ts';
import type { PostgresDatabase } from './database.ts';
import { deleteRooms } from './delete-rooms.ts';
import { type Query, renewForgotten } from './incarnation.ts';
import type { Listener } from './listener.ts';
import { type News, parseNews, tell, writeNews } from './news.ts';
import { type RoomReceipts, sweepRooms, takeDue } from './sweep.ts';

const SWEEP_MS = 1000;
/** Rooms swept in one transaction, and asked about at a time: what else waits for the database has to get its turn. */
const SWEPT_TOGETHER = 50;
const ASKED_AT_ONCE = 4;
/** Segments read at a time. */
const PAGE = 32;

export interface PostgresStoreOptions {
  db: PostgresDatabase;
  durability: Durability;
  /** Name of this relay; the holders of its seats start with it. */
  node: string;
  clock: Clock;
  limits: StoreLimits;
  observer: SharedObserver;
  listener(heard: (payload: string) => void, again: () => void): Listener;
}

/** Rooms in a PostgreSQL that several relays share: the row of a room gives the order, notifications bring the news. */
export class PostgresStore implements Store {
  readonly order = 'shared';
  readonly durability: Durability;
  readonly #db: Kysely<Schema>;
  readonly #options: PostgresStoreOptions;
  readonly #listener: Listener;
  readonly #followers = new Map<string, Follower>();
  readonly #receipts = new Receipts();
  /** Rooms of which news may have been missed. */
  readonly #unchecked = new Set<string>();
  readonly #peers: Peers;
  readonly #heartbeat: Heartbeat;
  readonly #sweeps: Rounds;

  private constructor(options: PostgresStoreOptions) {
    const { db, node, observer } = options;
    this.durability = options.durability;
    this.#options = options;
    this.#db = db.queries;
    this.#listener = options.listener(
      (payload) => this.#heard(parseNews(payload)),
      () => void this.#listensAgain(),
    );
    this.#peers = new Peers(node);
    // The connection that listens waits for nothing else.
    this.#heartbeat = new Heartbeat(() => this.#sayAlive(this.#listener.client ?? db.pool), observer);
    this.#sweeps = new Rounds(() => this.#round(), SWEEP_MS, observer.failed);
  }

  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const store = new PostgresStore(options);
    await store.#listener.start();
    await store.check();
    return store;
  }

  async create(room: string, terms: RoomTerms): Promise<{ epoch: string } | CreateRefusal> {
    const { clock, limits } = this.#options;
    const kept = await this.find(room);
    if (kept) return sameTerms(kept, terms) ? { epoch: kept.epoch } : 'conflict';
    if ((await this.counts()).rooms >= limits.maxRooms) return 'full';
    const now = clock.now();
    const row = {
      room_hash: room,
      epoch: randomBytes(16).toString('base64url'),
      token_hash: terms.tokenHash,
      end_token_hash: terms.endTokenHash,
      capacity: terms.capacity,
      created: now,
      head_seq: 0,
      floor_seq: 0,
      empty_since: now,
      due: now + limits.retentionMs,
    };
    // Of two who make it at once, one does, and both compare their terms with what stands there.
    await this.#db
      .insertInto('room')
      .values(row)
      .onConflict((conflict) => conflict.column('room_hash').doNothing())
      .execute();
    const made = await this.find(room);
    return made && sameTerms(made, terms) ? { epoch: made.epoch } : 'conflict';
  }

  async find(room: string): Promise<RoomRecord | undefined> {
    const row = await this.#db
      .selectFrom('room')
      .select(['epoch', 'token_hash', 'end_token_hash', 'capacity'])
      .where('room_hash', '=', room)
      .executeTakeFirst();
    if (!row) return undefined;
    return { epoch: row.epoch, tokenHash: row.token_hash, endTokenHash: row.end_token_hash, capacity: row.capacity };
  }

  async takeSeat(room: string, { seat, secretHash, holder, since }: SeatRequest): Promise<SeatTaken | SeatRefusal> {
    return this.#db.transaction().execute(async (db) => {
      if (this.#forgetful) await renewForgotten(queryOf(db), [room]);
      const row = await lockRoom(db, room);
      if (!row) return 'no room';
      const members = await db.selectFrom('member').selectAll().where('room', '=', row.id).execute();
      const known = members.find((member) => member.seat === seat);
      if (known && !sameHash(known.secret_hash, secretHash)) return 'taken';
      if (!known && members.length >= row.capacity) return 'room full';
      let { epoch } = row;
      if (since?.epoch === epoch && since.seq > row.head_seq) {
        epoch = randomBytes(16).toString('base64url');
        await db.updateTable('room').set({ epoch }).where('id', '=', row.id).execute();
        await tell(db, { kind: 'renewed', room });
      }
      await db
        .insertInto('member')
        .values({ room: row.id, seat, secret_hash: secretHash, holder, away_since: 0, recv_seq: row.head_seq })
        .onConflict((conflict) => conflict.columns(['room', 'seat']).doUpdateSet({ holder, away_since: 0 }))
        .execute();
      await tell(db, { kind: 'seats', room });
      const seats = await seatsOf(db, row.id);
      return { epoch, head: row.head_seq, floor: row.floor_seq, resumed: known !== undefined, seats };
    });
  }

  async releaseSeat(room: string, seat: string, holder: string): Promise<void> {
    const away_since = this.#options.clock.now();
    await this.#db.transaction().execute(async (db) => {
      const row = await lockRoom(db, room);
      if (!row) return;
      const released = await db
        .updateTable('member')
        .set({ holder: null, away_since })
        .where('room', '=', row.id)
        .where('seat', '=', seat)
        .where('holder', '=', holder)
        .returning('seat')
        .execute();
      if (released.length > 0) await tell(db, { kind: 'seats', room });
    });
  }

  async leaveSeat(room: string, seat: string): Promise<void> {
    const empty_since = this.#options.clock.now();
    await this.#db.transaction().execute(async (db) => {
      const row = await lockRoom(db, room);
      if (!row) return;
      await db.deleteFrom('member').where('room', '=', row.id).where('seat', '=', seat).execute();
      if ((await seatsOf(db, row.id)).length === 0)
        await db.updateTable('room').set({ empty_since }).where('id', '=', row.id).execute();
      await tell(db, { kind: 'seats', room });
    });
    // Others may have waited for this member to have the frames.
    this.#receipts.touch(room);
  }

  async seats(room: string): Promise<Seat[]> {
    const row = await this.#db.selectFrom('room').select('id').where('room_hash', '=', room).executeTakeFirst();
    return row ? seatsOf(this.#db, row.id) : [];
  }

  received(room: string, seat: string, upTo: number): void {
    this.#receipts.add(room, seat, upTo);
  }

  async append(requests: readonly AppendRequest[]): Promise<number[]> {
    const { db, clock, limits } = this.#options;
    const { places, placed, epochs } = await appendFrames(db.pool, requests, {
      now: clock.now(),
      limits,
      forgetful: this.#forgetful,
    });
    // Committed: the same frames everyone else is about to read.
    for (const [room, frames] of placed) this.#followers.get(room)?.offer(frames, epochs.get(room));
    return places;
  }

  async read(room: string, after: number, bytes: number): Promise<Page> {
    const frames: Frame[] = [];
    let size = 0;
    for (let at = after; ; ) {
      const segments = await this.#db
        .selectFrom('segment')
        .innerJoin('room', 'room.id', 'segment.room')
        .select(['segment.last_seq', 'segment.items'])
        .where('room.room_hash', '=', room)
        .where('segment.last_seq', '>', at)
        .orderBy('segment.first_seq')
        .limit(PAGE)
        .execute();
      for (const { items, last_seq } of segments) {
        if (size > 0 && size + items.length > bytes) return pageOf(frames, after, await this.#bounds(room));
        for (const frame of readItems(items as Buffer)) if (frame.seq > after) frames.push(frame);
        size += items.length;
        at = last_seq;
      }
      if (segments.length < PAGE) return pageOf(frames, after, await this.#bounds(room));
    }
  }

  relayTransient(room: string, frames: readonly Frame[]): void {
    const { db, clock, node, observer } = this.#options;
    writeNews(db.queries, { kind: 'transient', room, node, items: joinItems(frames) }, clock.now()).catch(observer.failed);
  }

  async end(room: string): Promise<void> {
    const ended = await this.#db.transaction().execute(async (db) => {
      const row = await lockRoom(db, room);
      if (!row) return false;
      await deleteRooms(db, [row.id]);
      await tell(db, { kind: 'ended', room, reason: 'ended' });
      return true;
    });
    if (ended) this.#options.observer.ended(room, 'ended');
  }

  async watch(room: string, watcher: Watcher): Promise<{ head: number }> {
    const { head, epoch } = await this.#bounds(room);
    const read = (after: number, bytes: number) => this.read(room, after, bytes);
    // What could not be read is read at the next sweep.
    const failed = (error: unknown) => {
      this.#unchecked.add(room);
      this.#options.observer.failed(error);
    };
    const follower = new Follower({ watcher, epoch, at: head, read, failed });
    this.#followers.set(room, follower);
    // What was placed between looking and following is read now.
    follower.reach((await this.#bounds(room)).head);
    return { head };
  }

  unwatch(room: string): void {
    this.#followers.get(room)?.stop();
    this.#followers.delete(room);
  }

  sweep(): Promise<void> {
    return this.#sweeps.run();
  }

  async check(): Promise<void> {
    await this.#sayAlive(this.#options.db.pool);
  }

  get heartbeatAge(): number {
    return this.#heartbeat.age;
  }

  async counts(): Promise<{ rooms: number; seats: number }> {
    const count = async (table: 'room' | 'member') => {
      const row = await this.#db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow();
      return Number(row.n);
    };
    return { rooms: await count('room'), seats: await count('member') };
  }

  async close(): Promise<void> {
    await this.#sweeps.stop();
    await this.#heartbeat.stop();
    for (const follower of this.#followers.values()) follower.stop();
    this.#followers.clear();
    await this.#listener.close();
    await this.#buryItself().catch(this.#options.observer.failed);
  }

  /** What has something to do now: rooms that are due, those of which members have received something, and those of relays that died. */
  async #round(): Promise<void> {
    const { clock, observer } = this.#options;
    const now = clock.now();
    await this.#checkLeft().catch(observer.failed);
    await this.#buryDead(now);
    for (let rooms = this.#receipts.rooms(); rooms.length > 0; rooms = rooms.slice(SWEPT_TOGETHER))
      await this.#sweepRooms(rooms.slice(0, SWEPT_TOGETHER), now, false).catch(observer.failed);
    for (;;) {
      const due = await takeDue(this.#db, now, SWEPT_TOGETHER);
      if (due.length > 0) await this.#sweepRooms(due, now, true);
      if (due.length < SWEPT_TOGETHER) break;
    }
    await this.#db
      .deleteFrom('transient')
      .where('ts', '<', now - 60_000)
      .execute();
  }

  async #sweepRooms(rooms: readonly string[], now: number, taken: boolean): Promise<void> {
    const { limits, observer } = this.#options;
    const receipts = new Map<string, RoomReceipts>(rooms.map((room) => [room, this.#receipts.take(room)]));
    for (const { room, head, gone, expired } of await sweepRooms(this.#db, receipts, { now, limits, taken })) {
      this.#followers.get(room)?.reach(head);
      for (const seat of gone) observer.gone(room, seat);
      if (expired) observer.ended(room, 'expired');
    }
  }

  async #buryDead(now: number): Promise<void> {
    const beats = await this.#db.selectFrom('node').select(['name', 'seen']).execute();
    for (const [node, beat] of this.#peers.look(new Map(beats.map(({ name, seen }) => [name, seen])), now)) {
      const rooms = await bury(this.#db, node, beat, now);
      if (rooms > 0) this.#options.observer.relayDied(node, rooms);
    }
  }

  /** A relay that stops in good order does not leave it to others to find out. */
  async #buryItself(): Promise<void> {
    const { node, clock } = this.#options;
    const own = await this.#db.selectFrom('node').select('seen').where('name', '=', node).executeTakeFirst();
    if (own) await bury(this.#db, node, own.seen, clock.now());
  }

  /** A PostgreSQL that comes back may know less than it acknowledged. */
  get #forgetful(): boolean {
    return this.durability === 'memory';
  }

  async #sayAlive(connection: pg.Pool | pg.Client): Promise<void> {
    const { node, clock } = this.#options;
    await connection.query(
      'INSERT INTO node (name, seen) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET seen = excluded.seen',
      [node, clock.now()],
    );
  }

  async #listensAgain(): Promise<void> {
    for (const room of this.#followers.keys()) this.#unchecked.add(room);
    await this.sweep().catch(this.#options.observer.failed);
  }

  /** What fails, because the database is gone again, is done at the next sweep. */
  async #checkLeft(): Promise<void> {
    await each(this.#unchecked, ASKED_AT_ONCE, async (room) => {
      const follower = this.#followers.get(room);
      await follower?.check((await this.find(room))?.epoch);
      this.#unchecked.delete(room);
      follower?.watcher.seatsChanged();
    });
  }

  #heard(news: News | undefined): void {
    const follower = news && this.#followers.get(news.room);
    if (!follower) return;
    const { watcher } = follower;
    switch (news.kind) {
      case 'frames':
        follower.reach(news.head);
        break;
      case 'seats':
        watcher.seatsChanged();
        break;
      case 'renewed':
        watcher.renewed();
        this.#unchecked.add(news.room);
        break;
      case 'transient':
        if (news.node !== this.#options.node) watcher.transient(readItems(news.items));
        break;
      case 'stored':
        if (news.node !== this.#options.node) void this.#fetchTransient(news.id, watcher);
        break;
      case 'ended':
        this.unwatch(news.room);
        watcher.ended(news.reason);
        break;
    }
  }

  async #fetchTransient(id: number, watcher: Watcher): Promise<void> {
    try {
      const row = await this.#db.selectFrom('transient').select('items').where('id', '=', id).executeTakeFirst();
      if (row) watcher.transient(readItems(row.items as Buffer));
    } catch (error) {
      this.#options.observer.failed(error);
    }
  }

  async #bounds(room: string): Promise<Bounds> {
    const row = await this.#db
      .selectFrom('room')
      .select(['head_seq', 'floor_seq', 'epoch'])
      .where('room_hash', '=', room)
      .executeTakeFirst();
    return { floor: row?.floor_seq ?? 0, head: row?.head_seq ?? 0, epoch: row?.epoch };
  }
}

const queryOf =
  (db: Transaction<Schema>): Query =>
  async <Row>(statement: string, values: unknown[]) =>
    (await db.executeQuery<Row>(CompiledQuery.raw(statement, values))).rows;

function lockRoom(db: Transaction<Schema>, room: string) {
  return db.selectFrom('room').selectAll().where('room_hash', '=', room).forUpdate().executeTakeFirst();
}

async function seatsOf(db: Kysely<Schema>, room: number): Promise<Seat[]> {
  const rows = await db.selectFrom('member').select(['seat', 'holder']).where('room', '=', room).execute();
  return rows.map(({ seat, holder }) => ({ seat, holder: holder ?? undefined, presence: holder === null ? 'away' : 'present' }));
}

function sameTerms(a: RoomTerms, b: RoomTerms): boolean {
  return a.capacity === b.capacity && sameHash(a.tokenHash, b.tokenHash) && sameHash(a.endTokenHash, b.endTokenHash);
}
