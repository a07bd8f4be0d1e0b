import { randomBytes } from 'node:crypto';
import { encodePushes } from '@qsec2/sdk/wire';
import { describe, expect, it, vi } from 'vitest';
import { type Frame, frameFromPush, readItems, timeOf } from '../frames/item.ts';
import { parsePushes } from '../frames/parse-pushes.ts';
import { afterThisTest } from '../testing/relay-fixture.ts';
import { BEAT_MS } from './shared/heartbeat.ts';
import { MAILBOX_FULL, NO_SUCH_ROOM, type Seat, type SeatTaken, type Store, type StoreLimits, type Watcher } from './store.ts';

/** What every store has to do: one suite, run against each of them. */

export const CONTRACT_LIMITS: StoreLimits = { retentionMs: 600_000, maxRooms: 50, roomBytes: 100_000, roomFrames: 200 };

export interface Harness {
  store: Store;
  /** Holders of seats start with it. */
  node: string;
  now(): number;
  /** Rooms that ended and members that were given up, as the observer was told. */
  told: string[];
  /** Lets time pass, and has the store look at it. */
  advance(ms: number): Promise<void>;
  /** What another process finds on the same data after this one died without a word: with a store that is `kept`. */
  reopen?(): Promise<Store>;
  /** Another process that serves the same rooms at the same time: with a store that is `shared`. */
  peer?(): Promise<Store>;
  /**
   * One more whose questions to the database wait while they are held. Its heartbeats do not, or, where `beatsWait`, do.
   */
  far?(beatsWait: boolean): Promise<{ store: Store; node: string; hold(held: boolean): void }>;
}

/** What a store claims to be, so that no test is left out unseen. */
export interface Claims {
  /** Another process finds its rooms. */
  kept: boolean;
  /** Several relays use it at the same time. */
  shared: boolean;
}

const random = () => randomBytes(16).toString('base64url');
const hash = () => randomBytes(32);
const terms = (capacity = 4) => ({ tokenHash: hash(), endTokenHash: hash(), capacity });

class Collector implements Watcher {
  readonly frames_: Frame[] = [];
  readonly transients: Frame[] = [];
  changes = 0;
  renewals = 0;
  reason: string | undefined;
  lowest = Number.POSITIVE_INFINITY;

  lowestCursor = () => this.lowest;
  frames(frames: readonly Frame[]): void {
    this.frames_.push(...frames);
  }
  transient(frames: readonly Frame[]): void {
    this.transients.push(...frames);
  }
  seatsChanged(): void {
    this.changes++;
  }
  renewed(): void {
    this.renewals++;
  }
  ended(reason: string): void {
    this.reason = reason;
  }
  get texts(): string[] {
    return this.frames_.map(textOf);
  }
}

/** The body behind the fixed fields: these frames are for everyone. */
const textOf = ({ item }: Frame) => item.subarray(13 + 16 + 16 + 4).toString();

function frameAt(time: number, from: string, text: string, cid: Uint8Array): Frame {
  const bytes = Buffer.from(encodePushes([{ cid, body: Buffer.from(text) }]));
  return frameFromPush(bytes, parsePushes(bytes)![0]!, Buffer.from(from, 'base64url'), from, time);
}

export function storeContract(name: string, { kept, shared }: Claims, make: () => Promise<Harness>): void {
  let node = '';
  let now = Date.now;
  const frame = (from: string, text: string, cid: Uint8Array = randomBytes(16)) => frameAt(now(), from, text, cid);
  const holderOf = (connection: string) => `${node}.${connection}`;

  /** A room with seats that are taken. */
  async function furnished(count = 2, harness?: Harness) {
    const made = harness ?? (await make());
    ({ node, now } = made);
    const room = random();
    const its = terms();
    const created = await made.store.create(room, its);
    const seats = await Promise.all(Array.from({ length: count }, () => take(made.store, room)));
    const append = (from: string, ...texts: string[]) =>
      made.store.append(texts.map((text) => ({ room, frame: frame(from, text) })));
    return { ...made, room, its, created, seats, append, first: seats[0]?.seat ?? '', second: seats[1]?.seat ?? '' };
  }

  async function take(store: Store, room: string, seat = random(), secretHash = hash(), holder = holderOf(random())) {
    const taken = (await store.takeSeat(room, { seat, secretHash, holder })) as SeatTaken;
    return { seat, secretHash, holder, taken };
  }

  const presences = (seats: Seat[]) => Object.fromEntries(seats.map(({ seat, presence }) => [seat, presence]));

  describe(`${name}: rooms`, () => {
    it('are made once, recognised by their terms, and found by their name only', async () => {
      const { store, room, its, created } = await furnished(0);
      expect(await store.create(room, its)).toEqual(created);
      expect(await store.create(room, { ...its, capacity: 5 })).toBe('conflict');
      expect(await store.create(room, { ...its, tokenHash: hash() })).toBe('conflict');
      const found = (await store.find(room))!;
      expect({ epoch: found.epoch }).toEqual(created);
      expect([...found.tokenHash]).toEqual([...its.tokenHash]);
      expect([...found.endTokenHash]).toEqual([...its.endTokenHash]);
      expect(found.capacity).toBe(4);
      expect(await store.find(random())).toBeUndefined();
    });

    it('are not made beyond the number the relay may keep', async () => {
      const { store } = await make();
      for (let i = 0; i < CONTRACT_LIMITS.maxRooms; i++) expect(typeof (await store.create(random(), terms()))).toBe('object');
      expect(await store.create(random(), terms())).toBe('full');
      expect((await store.counts()).rooms).toBe(CONTRACT_LIMITS.maxRooms);
    });

    it('are gone for everyone once ended, and get a new epoch when made again', async () => {
      const { store, room, its, created, told, append, first } = await furnished();
      const watcher = new Collector();
      await store.watch(room, watcher);
      await append(first, 'one');
      await store.end(room);
      await expect.poll(() => watcher.reason).toBe('ended');
      expect(told).toEqual([`ended ${room}`]);
      expect(await store.find(room)).toBeUndefined();
      expect(await append(first, 'late')).toEqual([NO_SUCH_ROOM]);
      expect(await store.create(room, its)).not.toEqual(created);
      expect((await store.read(room, 0, 1000)).frames).toEqual([]);
    });

    it('expire when nobody has had a seat for the retention time', async () => {
      const { store, room, first, advance, told } = await furnished(1);
      await store.leaveSeat(room, first);
      await advance(CONTRACT_LIMITS.retentionMs - 1000);
      expect(await store.find(room)).toBeDefined();
      await advance(2000);
      expect(await store.find(room)).toBeUndefined();
      expect(told).toEqual([`expired ${room}`]);
    });
  });

  describe(`${name}: seats`, () => {
    it('are as many as the room has, and are resumed with their secret only', async () => {
      const { store, room, seats } = await furnished(4);
      expect(await store.takeSeat(room, { seat: random(), secretHash: hash(), holder: holderOf('x') })).toBe('room full');
      const { seat, secretHash } = seats[0]!;
      expect(await store.takeSeat(room, { seat, secretHash: hash(), holder: holderOf('x') })).toBe('taken');
      const again = (await store.takeSeat(room, { seat, secretHash, holder: holderOf('x') })) as SeatTaken;
      expect(again.resumed).toBe(true);
      expect(again.seats).toHaveLength(4);
      expect(seats[0]!.taken.resumed).toBe(false);
      expect(await store.takeSeat(random(), { seat, secretHash, holder: holderOf('x') })).toBe('no room');
    });

    it('are never given to more members than there are seats, when many ask at once', async () => {
      const { store, room } = await furnished(0);
      const answers = await Promise.all(
        Array.from({ length: 12 }, () =>
          store.takeSeat(room, { seat: random(), secretHash: hash(), holder: holderOf(random()) }),
        ),
      );
      expect(answers.filter((answer) => typeof answer === 'object')).toHaveLength(4);
    });

    it('are away once released by the connection that has them, not by an older one', async () => {
      const { store, room, seats } = await furnished();
      const { seat, secretHash, holder } = seats[0]!;
      await store.takeSeat(room, { seat, secretHash, holder: holderOf('newer') });
      await store.releaseSeat(room, seat, holder);
      expect(presences(await store.seats(room))[seat]).toBe('present');
      await store.releaseSeat(room, seat, holderOf('newer'));
      expect(presences(await store.seats(room))[seat]).toBe('away');
      await take(store, room, seat, secretHash);
      expect(presences(await store.seats(room))[seat]).toBe('present');
    });

    it('are given up when their member was away for the retention time', async () => {
      const { store, room, seats, advance, told } = await furnished();
      const { seat, holder } = seats[0]!;
      await store.releaseSeat(room, seat, holder);
      await advance(CONTRACT_LIMITS.retentionMs + 1000);
      expect(Object.keys(presences(await store.seats(room)))).toEqual([seats[1]!.seat]);
      expect(told).toEqual([`gone ${seat}`]);
    });

    it('are watched', async () => {
      const { store, room, seats } = await furnished();
      const watcher = new Collector();
      await store.watch(room, watcher);
      // One change may be told of twice, when the store has just reached its database again.
      const toldOf = async (change: () => Promise<unknown>) => {
        const before = watcher.changes;
        await change();
        await expect.poll(() => watcher.changes).toBeGreaterThan(before);
      };
      await toldOf(() => take(store, room));
      await toldOf(() => store.releaseSeat(room, seats[0]!.seat, seats[0]!.holder));
      await toldOf(() => store.leaveSeat(room, seats[1]!.seat));
    });
  });

  describe(`${name}: log`, () => {
    it('gives contiguous places in the order of the requests, several rooms at once', async () => {
      const harness = await make();
      const [a, b] = [await furnished(2, harness), await furnished(2, harness)];
      const requests = Array.from({ length: 40 }, (_, i) => {
        const { room, first, second } = i % 3 ? a : b;
        return { room, frame: frame(i % 2 ? first : second, `${i}`) };
      });
      const places = await harness.store.append(requests);
      for (const { room } of [a, b]) {
        const mine = places.filter((_, i) => requests[i]!.room === room);
        expect(mine).toEqual(mine.map((_, i) => i + 1));
        const { frames, head } = await harness.store.read(room, 0, 1e6);
        expect(head).toBe(mine.length);
        expect(frames.map(({ seq }) => seq)).toEqual(mine);
        expect(frames.map(textOf)).toEqual(
          requests.filter((request) => request.room === room).map((request) => textOf(request.frame)),
        );
      }
    });

    it('keeps a frame as it was taken', async () => {
      const { store, room, first } = await furnished();
      const taken = frame(first, 'exactly this');
      const before = Buffer.from(taken.item);
      await store.append([{ room, frame: taken }]);
      const [kept] = (await store.read(room, 0, 1000)).frames;
      expect(kept).toMatchObject({ seq: 1, from: first, cid: taken.cid, to: undefined });
      expect(timeOf(kept!)).toBe(before.readUIntBE(7, 6));
      expect(Buffer.compare(kept!.item.subarray(7), before.subarray(7))).toBe(0);
      expect(readItems(kept!.item)[0]!.seq).toBe(1);
    });

    it('places a frame once, however often and in whatever order it is pushed', async () => {
      const { store, room, first, second } = await furnished();
      const [a, b] = [randomBytes(16), randomBytes(16)];
      const push = (from: string, ...cids: Uint8Array[]) =>
        store.append(cids.map((cid) => ({ room, frame: frame(from, 'x', cid) })));
      expect(await push(first, a, a)).toEqual([1, 1]);
      expect(await push(first, b, a, b)).toEqual([2, 1, 2]);
      expect(await push(second, a)).toEqual([3]);
      expect((await store.read(room, 0, 1e6)).frames).toHaveLength(3);
    });

    it('takes nothing from who has no seat, nor for a room that is not there', async () => {
      const { store, room, first } = await furnished();
      const requests = [
        { room, frame: frame(random(), 'stranger') },
        { room: random(), frame: frame(first, 'nowhere') },
        { room, frame: frame(first, 'mine') },
      ];
      expect(await store.append(requests)).toEqual([NO_SUCH_ROOM, NO_SUCH_ROOM, 1]);
    });

    it('is read in pages, from any place', async () => {
      const { store, room, append, first } = await furnished();
      for (let i = 0; i < 10; i++) await append(first, `${2 * i}`.padEnd(500), `${2 * i + 1}`.padEnd(500));
      const seen: number[] = [];
      for (let at = 3; at < 20; ) {
        const { frames } = await store.read(room, at, 1500);
        expect(frames.length).toBeGreaterThan(0);
        expect(frames.length).toBeLessThan(8);
        seen.push(...frames.map(({ seq }) => seq));
        at = frames.at(-1)!.seq;
      }
      expect(seen).toEqual(Array.from({ length: 17 }, (_, i) => i + 4));
      expect((await store.read(room, 20, 1500)).frames).toEqual([]);
    });

    it('tells a watcher what was committed, in order and without a hole', async () => {
      const { store, room, append, first, second } = await furnished();
      await append(first, 'before');
      const watcher = new Collector();
      expect(await store.watch(room, watcher)).toEqual({ head: 1 });
      await Promise.all([append(first, 'a', 'b'), append(second, 'c'), append(first, 'd')]);
      await expect.poll(() => watcher.frames_.length).toBe(4);
      expect(watcher.frames_.map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
      store.unwatch(room);
      await append(first, 'unseen');
      expect((await store.read(room, 5, 1e6)).frames.map(textOf)).toEqual(['unseen']);
      expect(watcher.frames_).toHaveLength(4);
    });
  });

  describe(`${name}: mailbox`, () => {
    it('keeps frames until every member has them', async () => {
      const { store, room, append, first, second, advance } = await furnished();
      await append(first, 'one', 'two');
      await append(first, 'three');
      store.received(room, first, 3);
      await advance(1000);
      expect((await store.read(room, 0, 1e6)).floor).toBe(0);
      store.received(room, second, 2);
      await advance(1000);
      const { frames, floor, head } = await store.read(room, 0, 1e6);
      expect({ floor, head, left: frames.map(textOf) }).toEqual({ floor: 2, head: 3, left: ['three'] });
    });

    it('does not wait for a member who came after a frame, nor for one who left', async () => {
      const { store, room, append, first, second, advance } = await furnished();
      await append(first, 'one');
      const late = await take(store, room);
      expect(late.taken.head).toBe(1);
      await store.leaveSeat(room, second);
      store.received(room, first, 1);
      await advance(1000);
      expect((await store.read(room, 0, 1e6)).floor).toBe(1);
    });

    it('lets frames go that only a member lacked who leaves', async () => {
      const { store, room, append, first, second, advance } = await furnished();
      await append(first, 'one');
      store.received(room, first, 1);
      await advance(1000);
      expect((await store.read(room, 0, 1e6)).floor).toBe(0);
      await store.leaveSeat(room, second);
      await advance(1000);
      expect((await store.read(room, 0, 1e6)).floor).toBe(1);
    });

    it('gives frames up after the retention time, and says so by the floor', async () => {
      const { store, room, append, first, seats, advance } = await furnished();
      await append(first, 'old');
      await advance(CONTRACT_LIMITS.retentionMs / 2);
      await append(first, 'newer');
      await advance(CONTRACT_LIMITS.retentionMs / 2 + 1000);
      const { frames, floor, head } = await store.read(room, 0, 1e6);
      expect({ floor, head, left: frames.map(textOf) }).toEqual({ floor: 1, head: 2, left: ['newer'] });
      const { seat, secretHash } = seats[1]!;
      const resumed = (await store.takeSeat(room, { seat, secretHash, holder: holderOf('x') })) as SeatTaken;
      expect(resumed).toMatchObject({ floor: 1, head: 2 });
    });

    it('gives up the oldest frames when it is full, rather than refuse new ones', async () => {
      const { store, room, append, first } = await furnished();
      for (let i = 0; i < 12; i++) await append(first, `${i}`.padEnd(10_000));
      const { frames, floor, head } = await store.read(room, 0, 1e6);
      expect(head).toBe(12);
      expect(floor).toBeGreaterThan(0);
      expect(frames[0]!.seq).toBe(floor + 1);
      expect(frames.reduce((sum, { item }) => sum + item.length, 0)).toBeLessThanOrEqual(CONTRACT_LIMITS.roomBytes);
    });

    it('knows a push again after its frame was trimmed', async () => {
      const { store, room, first, second, advance } = await furnished();
      const cid = randomBytes(16);
      await store.append([{ room, frame: frame(first, 'x', cid) }]);
      store.received(room, first, 1);
      store.received(room, second, 1);
      await advance(1000);
      expect((await store.read(room, 0, 1e6)).floor).toBe(1);
      expect(await store.append([{ room, frame: frame(first, 'x', cid) }])).toEqual([1]);
    });

    it('goes on counting where it was when everything was trimmed', async () => {
      const { store, room, append, first, second, advance, reopen } = await furnished();
      await append(first, 'one', 'two');
      for (const seat of [first, second]) store.received(room, seat, 2);
      await advance(1000);
      expect(await append(first, 'three')).toEqual([3]);
      for (const seat of [first, second]) store.received(room, seat, 3);
      await advance(1000);
      const again = (await reopen?.()) ?? store;
      expect(await again.append([{ room, frame: frame(first, 'four') }])).toEqual([4]);
    });
  });

  describe(`${name}: epochs`, () => {
    it('change when a member has seen more of the log than there is', async () => {
      const { store, room, created, append, first, seats } = await furnished();
      await append(first, 'one');
      const watcher = new Collector();
      await store.watch(room, watcher);
      const { seat, secretHash } = seats[0]!;
      const { epoch } = created as { epoch: string };
      const resume = (seq: number) => store.takeSeat(room, { seat, secretHash, holder: holderOf('x'), since: { epoch, seq } });
      expect(await resume(1)).toMatchObject({ epoch });
      const renewed = (await resume(2)) as SeatTaken;
      expect(renewed.epoch).not.toBe(epoch);
      await expect.poll(() => watcher.renewals).toBe(1);
      expect((await store.find(room))!.epoch).toBe(renewed.epoch);
    });
  });

  if (kept) {
    describe(`${name}: another process on the same data`, () => {
      it('finds rooms, seats and frames, and knows what was pushed', async () => {
        const { room, first, seats, append, created, reopen, store } = await furnished();
        if (!reopen) throw new Error('a store that is kept can be opened again');
        const cid = randomBytes(16);
        await append(first, 'one');
        await store.append([{ room, frame: frame(first, 'two', cid) }]);
        const again = await reopen();
        expect((await again.find(room))!.epoch).toBe((created as { epoch: string }).epoch);
        expect((await again.read(room, 0, 1e6)).frames.map(textOf)).toEqual(['one', 'two']);
        expect((await again.seats(room)).map(({ seat }) => seat).sort()).toEqual(seats.map(({ seat }) => seat).sort());
        expect(
          await again.append([
            { room, frame: frame(first, 'two', cid) },
            { room, frame: frame(first, 'three') },
          ]),
        ).toEqual([2, 3]);
      });
    });
  }

  if (shared) {
    describe(`${name}: two processes at the same time`, () => {
      it('give one order to all, however they interleave', async () => {
        const { store, room, first, second, peer } = await furnished();
        if (!peer) throw new Error('a store that is shared has a peer');
        const other = await peer();
        const [here, there] = [new Collector(), new Collector()];
        await store.watch(room, here);
        await other.watch(room, there);
        const places = await Promise.all(
          Array.from({ length: 60 }, (_, i) =>
            (i % 2 ? store : other).append([{ room, frame: frame(i % 3 ? first : second, `${i}`) }]),
          ),
        );
        expect(places.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
        await expect.poll(() => [here.frames_.length, there.frames_.length]).toEqual([60, 60]);
        expect(here.texts).toEqual(there.texts);
        expect(here.frames_.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
      });

      it('tell each other about members, transient frames and the end', async () => {
        const { store, room, first, peer } = await furnished();
        if (!peer) throw new Error('a store that is shared has a peer');
        const other = await peer();
        const there = new Collector();
        await other.watch(room, there);
        await take(store, room);
        await expect.poll(() => there.changes).toBe(1);
        for (const text of ['short', 'long'.padEnd(20_000, '.')]) store.relayTransient(room, [frame(first, text)]);
        await expect.poll(() => there.transients.map(textOf).map(({ length }) => length)).toEqual([5, 20_000]);
        await store.end(room);
        await expect.poll(() => there.reason).toBe('ended');
      });
    });

    describe(`${name}: a relay that waits for the database`, () => {
      /** It has a seat, and its sweep waits; the other one looks for relays that died, for twelve seconds of its time. */
      async function waiting(beatsWait: boolean) {
        // Turns of the timers come when the test says so.
        vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
        afterThisTest(() => vi.useRealTimers());
        const harness = await furnished(1);
        if (!harness.far) throw new Error('a store that is shared can be far from its database');
        const far = await harness.far(beatsWait);
        const { seat } = await take(far.store, harness.room, random(), hash(), `${far.node}.x`);
        far.hold(true);
        const sweeping = far.store.sweep();
        for (let look = 0; look < 6; look++) {
          const before = performance.now();
          vi.advanceTimersByTime(BEAT_MS);
          if (!beatsWait) await expect.poll(() => far.store.heartbeatAge! < performance.now() - before).toBe(true);
          await harness.advance(2000);
        }
        const found = presences(await harness.store.seats(harness.room))[seat];
        far.hold(false);
        await sweeping;
        return { ...harness, far, seat, found };
      }

      it('is not taken for dead: its heartbeats wait for nothing', async () => {
        const { found, told } = await waiting(false);
        expect(found).toBe('present');
        expect(told).toEqual([]);
      });

      it('would be, with the members it has, if its heartbeats waited as well', async () => {
        const { found, told, far, seats, store, room } = await waiting(true);
        expect(found).toBe('away');
        expect(told).toEqual([`died ${far.node} 1`]);
        expect(presences(await store.seats(room))[seats[0]!.seat]).toBe('present');
      });
    });

    describe(`${name}: rooms in which nothing happens`, () => {
      it('are looked at once in the retention time, and what begins after a look ends by the next one', async () => {
        const { store, room, first, advance, told } = await furnished(1);
        await advance(CONTRACT_LIMITS.retentionMs + 1000);
        await store.leaveSeat(room, first);
        await advance(CONTRACT_LIMITS.retentionMs - 1000);
        expect(told).toEqual([]);
        await advance(CONTRACT_LIMITS.retentionMs);
        expect(told).toEqual([`expired ${room}`]);
      });
    });
  }

  // Only a relay that stands alone knows of every connection how far it has come.
  if (!shared) {
    it(`${name}: refuses when members who are connected have yet to be sent what fills the mailbox`, async () => {
      const { store, room, append, first } = await furnished();
      const watcher = new Collector();
      await store.watch(room, watcher);
      watcher.lowest = 0;
      const answers: number[] = [];
      for (let i = 0; i < 12; i++) answers.push(...(await append(first, `${i}`.padEnd(10_000))));
      expect(answers).toContain(MAILBOX_FULL);
      watcher.lowest = answers.filter((answer) => answer > 0).length;
      expect((await append(first, 'again'))[0]).toBeGreaterThan(0);
    });
  }
}
