import { randomBytes } from 'node:crypto';
import type { Durability } from '@qsec2/sdk/wire';
import type { Redis } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { type Frame, joinItems, readItems } from '../../frames/item.ts';
import { Follower } from '../shared/follower.ts';
import { DEAD_AFTER_MS, Heartbeat, LATE_MS } from '../shared/heartbeat.ts';
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
import { type RoomHash, roomRecord, seatsOf } from './room-hash.ts';
import { type ScriptedRedis, withScripts } from './scripted.ts';
import { NODES, OLD_NODE, ROOM } from './scripts.ts';

const DUE = 'qsec2:due';
/** When a relay last said that it is alive, by the clock of them all. */
export const LAST_BEAT = 'qsec2:clock';
const SWEEP_MS = 1000;
/** Rooms asked about, or swept, at a time: what else waits for Redis has to get its turn. */
const ROOMS_AT_ONCE = 32;
/** A relay that took rooms to sweep them, and died, leaves them to others after so long. */
const CLAIM_MS = 10_000;
const KNOWN_BEYOND_FLOOR = 4096;
/** Entries of a stream read at a time. */
const PAGE = 64;

export interface RedisStoreOptions {
  /** For commands, for listening (a connection that listens takes no commands), and for heartbeats, which wait for nothing else. */
  redis: Redis;
  subscriber: Redis;
  heart: Redis;
  durability: Durability;
  /** Name of this relay; the holders of its seats start with it. */
  node: string;
  clock: Clock;
  limits: StoreLimits;
  observer: SharedObserver;
}

/** Rooms in a Redis that several relays share: one stream a room gives the order, a channel a room brings the news. */
export class RedisStore implements Store {
  readonly order = 'shared';
  readonly durability: Durability;
  readonly #redis: ScriptedRedis;
  readonly #options: RedisStoreOptions;
  readonly #followers = new Map<string, Follower>();
  readonly #receipts = new Receipts();
  /** Rooms of which news may have been missed. */
  readonly #unchecked = new Set<string>();
  readonly #peers: Peers;
  readonly #heartbeat: Heartbeat;
  readonly #sweeps: Rounds;
  #closed = false;

  private constructor(options: RedisStoreOptions) {
    const { subscriber, heart, node, clock, observer } = options;
    this.durability = options.durability;
    this.#options = options;
    this.#redis = withScripts(options.redis);
    subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => this.#heard(channel.toString(), message));
    // News may have been missed while the connection was down: ask every log where it stands.
    subscriber.on('close', () => this.#mayHaveMissed());
    subscriber.on('ready', () => void this.#listensAgain());
    this.#peers = new Peers(node);
    this.#heartbeat = new Heartbeat(() => sayAlive(heart, node, clock), observer);
    this.#sweeps = new Rounds(() => this.#round(), SWEEP_MS, observer.failed);
  }

  static async open(options: RedisStoreOptions): Promise<RedisStore> {
    const store = new RedisStore(options);
    await sayAlive(options.heart, options.node, options.clock);
    return store;
  }

  async create(room: string, terms: RoomTerms): Promise<{ epoch: string } | CreateRefusal> {
    const { clock, limits } = this.#options;
    const now = clock.now();
    const [token, endToken] = [text(terms.tokenHash), text(terms.endTokenHash)];
    const due = now + limits.retentionMs;
    const epoch = newEpoch();
    const made = await this.#redis.roomCreate(
      ROOM + room,
      DUE,
      room,
      epoch,
      token,
      endToken,
      terms.capacity,
      now,
      due,
      limits.maxRooms,
    );
    return made === 'conflict' || made === 'full' ? made : { epoch: made };
  }

  async find(room: string): Promise<RoomRecord | undefined> {
    return roomRecord(await this.#hash(room));
  }

  async takeSeat(room: string, { seat, secretHash, holder, since }: SeatRequest): Promise<SeatTaken | SeatRefusal> {
    const [key, log] = keys(room);
    const answer = await this.#redis.roomTakeSeat(
      key,
      log,
      seat,
      text(secretHash),
      holder,
      since?.epoch ?? '',
      since?.seq ?? 0,
      newEpoch(),
      this.#forgetful ? 1 : 0,
    );
    const [status, epoch, head, floor, resumed] = answer;
    if (status !== 'ok') return status;
    return { epoch, head, floor, resumed: resumed === 1, seats: await this.seats(room) };
  }

  async releaseSeat(room: string, seat: string, holder: string): Promise<void> {
    const [key, log] = keys(room);
    await this.#redis.roomReleaseSeat(key, log, seat, holder, this.#options.clock.now());
  }

  async leaveSeat(room: string, seat: string): Promise<void> {
    const [key, log] = keys(room);
    await this.#redis.roomLeaveSeat(key, log, seat, this.#options.clock.now());
    // Others may have waited for this member to have the frames.
    this.#receipts.touch(room);
  }

  async seats(room: string): Promise<Seat[]> {
    return seatsOf(await this.#hash(room));
  }

  received(room: string, seat: string, upTo: number): void {
    this.#receipts.add(room, seat, upTo);
  }

  async append(requests: readonly AppendRequest[]): Promise<number[]> {
    const { roomBytes, roomFrames } = this.#options.limits;
    const byRoom = new Map<string, number[]>();
    requests.forEach(({ room }, i) => {
      const indexes = byRoom.get(room);
      if (indexes) indexes.push(i);
      else byRoom.set(room, [i]);
    });
    const places: number[] = new Array(requests.length);
    await Promise.all(
      [...byRoom].map(async ([room, indexes]) => {
        const frames = indexes.flatMap((i) => {
          const { from, cid, item } = requests[i]!.frame;
          return [from, Buffer.from(from + cid, 'latin1'), item];
        });
        const [key, log, ids] = keys(room);
        const renewed = this.#forgetful ? newEpoch() : '';
        const given = await this.#redis.roomAppend(key, log, ids, roomBytes, roomFrames, renewed, ...frames);
        indexes.forEach((index, i) => {
          places[index] = given[i]!;
        });
      }),
    );
    return places;
  }

  async read(room: string, after: number, bytes: number): Promise<Page> {
    const [key, log] = keys(room);
    const frames: Frame[] = [];
    for (let at = after, size = 0; ; ) {
      const entries = await this.#redis.xrangeBuffer(log, `0-${at + 1}`, '+', 'COUNT', PAGE);
      for (const [, [, item]] of entries) {
        if (size > 0 && size + item!.length > bytes) return pageOf(frames, after, await this.#bounds(key, log));
        frames.push(...readItems(item!));
        size += item!.length;
      }
      if (entries.length < PAGE) return pageOf(frames, after, await this.#bounds(key, log));
      at = frames.at(-1)!.seq;
    }
  }

  relayTransient(room: string, frames: readonly Frame[]): void {
    const { node, observer } = this.#options;
    const message = Buffer.concat([Buffer.from(`t${node}\0`), joinItems(frames)]);
    this.#redis.publish(`${ROOM}${room}:ch`, message).catch(observer.failed);
  }

  async end(room: string): Promise<void> {
    const ended = await this.#redis.roomEnd(...keys(room).slice(0, 3), DUE, room, 'ended');
    if (ended === 1) this.#options.observer.ended(room, 'ended');
  }

  async watch(room: string, watcher: Watcher): Promise<{ head: number }> {
    const { subscriber, observer } = this.#options;
    const [key, log, , channel] = keys(room);
    await subscriber.subscribe(channel);
    const { head, epoch } = await this.#bounds(key, log);
    const read = (after: number, bytes: number) => this.read(room, after, bytes);
    // What could not be read is read at the next sweep.
    const failed = (error: unknown) => {
      this.#unchecked.add(room);
      observer.failed(error);
    };
    const follower = new Follower({ watcher, epoch, at: head, read, failed });
    this.#followers.set(room, follower);
    // What was placed between looking and following is read now.
    follower.reach((await this.#bounds(key, log)).head);
    return { head };
  }

  unwatch(room: string): void {
    const { subscriber, observer } = this.#options;
    this.#followers.get(room)?.stop();
    this.#followers.delete(room);
    subscriber.unsubscribe(`${ROOM}${room}:ch`).catch(observer.failed);
  }

  sweep(): Promise<void> {
    return this.#sweeps.run();
  }

  async check(): Promise<void> {
    const { node, clock } = this.#options;
    await sayAlive(this.#redis, node, clock);
  }

  get heartbeatAge(): number {
    return this.#heartbeat.age;
  }

  async counts() {
    const rooms = await this.#redis.zcard(DUE);
    return { rooms, seats: 0 };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sweeps.stop();
    await this.#heartbeat.stop();
    for (const follower of this.#followers.values()) follower.stop();
    this.#followers.clear();
    const { subscriber, heart } = this.#options;
    for (const connection of [subscriber, heart, this.#redis]) connection.disconnect();
  }

  /** What has something to do now: rooms that are due, those of which members have received something, and those of relays that died. */
  async #round(): Promise<void> {
    const { clock, observer } = this.#options;
    const now = clock.now();
    const sweep = (rooms: string[]) => each(rooms, ROOMS_AT_ONCE, (room) => this.#sweepRoom(room, now)).catch(observer.failed);
    await this.#checkLeft().catch(observer.failed);
    await this.#buryDead(now);
    await sweep(this.#receipts.rooms());
    for (;;) {
      const due = await this.#redis.takeDue(DUE, now, now + CLAIM_MS, ROOMS_AT_ONCE);
      await sweep(due);
      if (due.length < ROOMS_AT_ONCE) return;
    }
  }

  async #buryDead(now: number): Promise<void> {
    const beats = Object.entries(await this.#redis.hgetall(NODES));
    const dead = this.#peers.look(new Map(beats.map(([node, beat]) => [node, Number(beat)])), now);
    for (const [node, beat] of dead) {
      let rooms = 0;
      for (let left = 1; left > 0; ) {
        const [buried, more] = await this.#redis.nodeBury(NODES, node, beat, now, ROOMS_AT_ONCE);
        rooms += buried;
        left = more;
      }
      if (rooms > 0) this.#options.observer.relayDied(node, rooms);
    }
  }

  async #sweepRoom(room: string, now: number): Promise<void> {
    const { limits, observer } = this.#options;
    const receipts = this.#receipts.take(room).flat();
    const [head, ...gone] = await this.#redis.roomSweep(
      ...keys(room).slice(0, 3),
      DUE,
      room,
      now,
      limits.retentionMs,
      KNOWN_BEYOND_FLOOR,
      ...receipts,
    );
    if (head === 'expired') {
      observer.ended(room, 'expired');
      return;
    }
    // A message is lost when it is published while the connection that listens is being made again.
    this.#followers.get(room)?.reach(Number(head));
    for (const seat of gone) observer.gone(room, seat);
  }

  /** A Redis that comes back may know less than it acknowledged. */
  get #forgetful(): boolean {
    return this.durability !== 'fsync';
  }

  /** Channels are listened to again before the answer comes: what is published from then on is heard. */
  async #listensAgain(): Promise<void> {
    try {
      await this.#options.subscriber.ping();
      this.#mayHaveMissed();
      if (this.#followers.size > 0) await this.sweep();
    } catch (error) {
      if (!this.#closed) this.#options.observer.failed(error);
    }
  }

  #mayHaveMissed(): void {
    for (const room of this.#followers.keys()) this.#unchecked.add(room);
  }

  /** What fails, because Redis is gone again, is done at the next sweep. */
  async #checkLeft(): Promise<void> {
    await each(this.#unchecked, ROOMS_AT_ONCE, async (room) => {
      const follower = this.#followers.get(room);
      await follower?.check((await this.find(room))?.epoch);
      this.#unchecked.delete(room);
      follower?.watcher.seatsChanged();
    });
  }

  #heard(channel: string, message: Buffer): void {
    const room = channel.slice(ROOM.length, -':ch'.length);
    const follower = this.#followers.get(room);
    if (!follower) return;
    const rest = message.subarray(1);
    switch (String.fromCharCode(message[0] ?? 0)) {
      case 'f': {
        const frames = readItems(rest);
        // They may be of another epoch than the one that is followed: the log tells.
        if (this.#unchecked.has(room)) follower.reach(frames.at(-1)!.seq);
        else follower.offer(frames);
        break;
      }
      case 't': {
        const end = rest.indexOf(0);
        const own = rest.toString('latin1', 0, end) === this.#options.node;
        if (!own) follower.watcher.transient(readItems(rest.subarray(end + 1)));
        break;
      }
      case 's':
        follower.watcher.seatsChanged();
        break;
      case 'n':
        follower.watcher.renewed();
        this.#unchecked.add(room);
        break;
      case 'e':
        this.unwatch(room);
        follower.watcher.ended(rest.toString() === 'ended' ? 'ended' : 'expired');
        break;
    }
  }

  #hash(room: string): Promise<RoomHash> {
    return this.#redis.hgetall(ROOM + room);
  }

  async #bounds(key: string, log: string): Promise<Bounds> {
    const [floor, head, epoch] = await this.#redis.roomBounds(key, log);
    return { floor, head, epoch: epoch ?? undefined };
  }
}

async function sayAlive(redis: Redis, node: string, clock: Clock): Promise<void> {
  const now = clock.now();
  await Promise.all([
    redis.hset(NODES, node, now),
    redis.set(LAST_BEAT, now),
    // What relays from before the hash look for, which run beside this one while they are replaced one after the other.
    redis.set(OLD_NODE + node, '1', 'PX', DEAD_AFTER_MS),
  ]);
}

/** The connection for heartbeats: one that says nothing for so long is made anew, since it is asked for something all the time. */
export const HEART_OPTIONS = { socketTimeout: LATE_MS, maxRetriesPerRequest: 1 } as const;

const newEpoch = (): string => randomBytes(16).toString('base64url');

const text = (hash: Uint8Array): string => Buffer.from(hash).toString('base64url');

function keys(room: string): [room: string, log: string, ids: string, channel: string] {
  const key = ROOM + room;
  return [key, `${key}:log`, `${key}:ids`, `${key}:ch`];
}
