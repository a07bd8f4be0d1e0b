import { randomBytes } from 'node:crypto';
import type { Durability } from '@qsec2/sdk/wire';
import type { Redis } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { type Frame, joinItems, readItems } from '../../frames/item.ts';
import { Follower } from '../shared/follower.ts';
import { type Bounds, pageOf } from '../shared/page.ts';
import { Receipts } from '../shared/receipts.ts';
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
  Store,
  StoreLimits,
  StoreObserver,
  Watcher,
} from '../store.ts';
import { type RoomHash, roomRecord, seatsOf } from './room-hash.ts';
import { type ScriptedRedis, withScripts } from './scripted.ts';

const PREFIX = 'qsec2:room:';
const DUE = 'qsec2:due';
/** When a relay last said that it is alive, by the clock of them all. */
export const LAST_BEAT = 'qsec2:clock';
const SWEEP_MS = 1000;
/** A relay that has not said so for this long is dead. */
const NODE_ALIVE_MS = 10_000;
const DUE_ROOMS = 200;
const KNOWN_BEYOND_FLOOR = 4096;
/** Entries of a stream read at a time. */
const PAGE = 64;

export interface RedisStoreOptions {
  /** For commands, and for listening: a connection that listens takes no commands. */
  redis: Redis;
  subscriber: Redis;
  durability: Durability;
  /** Name of this relay; the holders of its seats start with it. */
  node: string;
  clock: Clock;
  limits: StoreLimits;
  observer: StoreObserver;
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
  readonly #timer: NodeJS.Timeout;
  #sweeping: Promise<void> | undefined;

  private constructor(options: RedisStoreOptions) {
    this.durability = options.durability;
    this.#options = options;
    this.#redis = withScripts(options.redis);
    options.subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => this.#heard(channel.toString(), message));
    // News may have been missed while the connection was down: ask every log where it stands.
    options.subscriber.on('close', () => this.#mayHaveMissed());
    options.subscriber.on('ready', () => void this.#checkAll());
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#beat()
        .catch(options.observer.failed)
        .finally(() => {
          this.#sweeping = undefined;
        });
    }, SWEEP_MS);
    this.#timer.unref();
  }

  static async open(options: RedisStoreOptions): Promise<RedisStore> {
    const store = new RedisStore(options);
    await store.#sayAlive();
    return store;
  }

  async create(room: string, terms: RoomTerms): Promise<{ epoch: string } | CreateRefusal> {
    const { clock, limits } = this.#options;
    const now = clock.now();
    const [token, endToken] = [text(terms.tokenHash), text(terms.endTokenHash)];
    const due = now + limits.retentionMs;
    const epoch = newEpoch();
    const made = await this.#redis.roomCreate(
      PREFIX + room,
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
    this.#redis.publish(`${PREFIX}${room}:ch`, message).catch(observer.failed);
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
    const follower = new Follower({ watcher, epoch, at: head, read, failed: observer.failed });
    this.#followers.set(room, follower);
    // What was placed between looking and following is read now.
    follower.reach((await this.#bounds(key, log)).head);
    return { head };
  }

  unwatch(room: string): void {
    const { subscriber, observer } = this.#options;
    this.#followers.get(room)?.stop();
    this.#followers.delete(room);
    subscriber.unsubscribe(`${PREFIX}${room}:ch`).catch(observer.failed);
  }

  async sweep(): Promise<void> {
    const now = this.#options.clock.now();
    await this.#checkLeft();
    const due = await this.#redis.zrangebyscore(DUE, 0, now, 'LIMIT', 0, DUE_ROOMS);
    const rooms = new Set([...due, ...this.#followers.keys(), ...this.#receipts.rooms()]);
    for (const room of rooms) await this.#sweepRoom(room, now);
  }

  async check(): Promise<void> {
    await this.#sayAlive();
  }

  async counts() {
    const rooms = await this.#redis.zcard(DUE);
    return { rooms, seats: 0 };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
    for (const follower of this.#followers.values()) follower.stop();
    this.#followers.clear();
    this.#options.subscriber.disconnect();
    this.#redis.disconnect();
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

  async #beat(): Promise<void> {
    await this.#sayAlive();
    await this.sweep();
  }

  /** A Redis that comes back may know less than it acknowledged. */
  get #forgetful(): boolean {
    return this.durability !== 'fsync';
  }

  async #sayAlive(): Promise<void> {
    const { node, clock } = this.#options;
    await this.#redis.set(`qsec2:node:${node}`, '1', 'PX', NODE_ALIVE_MS);
    await this.#redis.set(LAST_BEAT, clock.now());
  }

  async #checkAll(): Promise<void> {
    this.#mayHaveMissed();
    await this.#checkLeft();
  }

  #mayHaveMissed(): void {
    for (const room of this.#followers.keys()) this.#unchecked.add(room);
  }

  /** What fails, because Redis is gone again, is done at the next sweep. */
  async #checkLeft(): Promise<void> {
    for (const room of this.#unchecked) {
      const follower = this.#followers.get(room);
      try {
        await follower?.check((await this.find(room))?.epoch);
        this.#unchecked.delete(room);
        follower?.watcher.seatsChanged();
      } catch (error) {
        this.#options.observer.failed(error);
      }
    }
  }

  #heard(channel: string, message: Buffer): void {
    const room = channel.slice(PREFIX.length, -':ch'.length);
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
    return this.#redis.hgetall(PREFIX + room);
  }

  async #bounds(key: string, log: string): Promise<Bounds> {
    const [floor, head, epoch] = await this.#redis.roomBounds(key, log);
    return { floor, head, epoch: epoch ?? undefined };
  }
}

const newEpoch = (): string => randomBytes(16).toString('base64url');

const text = (hash: Uint8Array): string => Buffer.from(hash).toString('base64url');

function keys(room: string): [room: string, log: string, ids: string, channel: string] {
  const key = PREFIX + room;
  return [key, `${key}:log`, `${key}:ids`, `${key}:ch`];
}
