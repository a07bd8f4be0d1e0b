import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QsecError } from '../errors.ts';
import type { ConnectOptions } from '../options.ts';
import type { StoragePort } from '../storage/port.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { connect } from './connect.ts';
import type { Room } from './types.ts';

/** Storages that fail in every way, at every step: what a room does with persistence when the storage does not do its part. */

const open: Room[] = [];
// Loading takes the machine's time, which the fast clock does not know.
beforeAll(() => import('../storage/index.ts'));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'], shouldAdvanceTime: true });
});
afterEach(async () => {
  await inTime(Promise.all(open.splice(0).map((room) => room.leave())));
  vi.useRealTimers();
});

type Step = 'get' | 'list' | 'write' | 'erase' | 'lock';

/** How a step fails. */
const WAYS = {
  'refuses it': () => Promise.reject(new Error('ENOSPC')),
  'throws at once': () => {
    throw new Error('not here');
  },
  'never answers': () => new Promise<never>(() => undefined),
} as const;
type Way = keyof typeof WAYS;

/** A storage whose steps fail while `failing` names a way for them, counted from when it was set. */
function fallible() {
  const storage = memoryStorage();
  const state = { failing: undefined as { step: Step; way: Way; after: number } | undefined, count: 0 };
  const guarded =
    <A extends unknown[], T>(step: Step, act: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> => {
      const { failing } = state;
      if (failing?.step !== step || state.count++ < failing.after) return act(...args);
      return WAYS[failing.way]();
    };
  const taken = new Set<string>();
  const port: StoragePort = {
    keepsCryptoKeys: true,
    get: guarded('get', storage.get),
    list: guarded('list', storage.list),
    write: guarded('write', storage.write),
    erase: guarded('erase', storage.erase),
    lock: guarded('lock', async (name: string) => {
      if (taken.has(name)) return undefined;
      taken.add(name);
      return () => void taken.delete(name);
    }),
  };
  return {
    port,
    entries: storage.entries,
    storage,
    fail(step: Step, way: Way, after = 0) {
      state.failing = { step, way, after };
      state.count = 0;
    },
    mend() {
      state.failing = undefined;
    },
  };
}

/** Lets time pass until something is settled: what has no limit is not within two minutes. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  for (let step = 0; step < 1_200 && !settled; step++) {
    await vi.advanceTimersByTimeAsync(100);
    for (let turn = 0; turn < 4; turn++) await crypto.subtle.digest('SHA-256', new Uint8Array(1));
  }
  expect(settled, 'settled within two minutes').toBe(true);
  return promise;
}

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions>): Promise<Room> {
  const room = await inTime(connect({ relay: 'http://relay.test', transport: relay.transport, ...options }));
  open.push(room);
  return room;
}

const reach = async (room: Room) => {
  while (room.state !== 'secure') await inTime(room.once('state'));
};

/** What is heard by an application that listens once it has its room. */
function errorsOf(room: Room): QsecError[] {
  const errors: QsecError[] = [];
  room.on('error', (error) => errors.push(error));
  return errors;
}

async function pair(relay: MemoryRelay, storage: StoragePort) {
  const ana = await enter(relay, { name: 'Ana', capacity: 3 });
  const back = () => enter(relay, { name: 'Bo', invite: ana.invite, persist: 'device', storage });
  const bo = await back();
  await reach(ana);
  await reach(bo);
  return { ana, bo, back };
}

const UNAVAILABLE = { code: 'STORAGE_UNAVAILABLE' };
const ways = Object.keys(WAYS) as Way[];

describe('a storage that fails at the beginning', () => {
  const steps: [Step, number][] = [
    ['list', 0],
    ['lock', 0],
    ['get', 0],
    ['get', 1],
    ['write', 0],
    ['get', 2],
  ];
  const cases = steps.flatMap(([step, after]) => ways.map((way) => [step, after, way] as const));
  it.each(cases)('%s after %i that went well, where it %s: connect rejects in time', async (step, after, way) => {
    const { port, fail } = fallible();
    fail(step, way, after);
    const entering = connect({
      relay: 'http://relay.test',
      transport: new MemoryRelay().transport,
      persist: 'device',
      storage: port,
    });
    const before = Date.now();
    await expect(inTime(entering)).rejects.toMatchObject(UNAVAILABLE);
    expect(Date.now() - before).toBeLessThan(10_000);
  });

  it('leaves no lock behind: the room opens once the storage works', async () => {
    const relay = new MemoryRelay();
    const { port, fail, mend, entries } = fallible();
    const ana = await enter(relay, { name: 'Ana' });
    const bo = () => enter(relay, { invite: ana.invite, persist: 'device', storage: port });
    for (const step of ['get', 'write', 'lock'] as const) {
      fail(step, 'refuses it');
      await expect(bo()).rejects.toMatchObject(UNAVAILABLE);
    }
    expect(entries.size).toBe(0);
    mend();
    await reach(await bo());
  });

  it('because a tab beside cannot say that it is there: connect rejects, and a damaged word of another tab costs nothing', async () => {
    const { port, fail, mend, storage } = fallible();
    const session = { persist: 'session' as const, storage: port };
    fail('write', 'refuses it');
    await expect(enter(new MemoryRelay(), session)).rejects.toMatchObject(UNAVAILABLE);
    mend();
    await storage.write(new Map([['alive/other', new Uint8Array(3)]]));
    await enter(new MemoryRelay(), session);
  });

  it('of a room that could not be entered, keeps nothing', async () => {
    const relay = new MemoryRelay();
    const { port, entries } = fallible();
    const { invite } = await enter(new MemoryRelay(), {});
    await expect(enter(relay, { invite, persist: 'device', storage: port })).rejects.toMatchObject({ code: 'ROOM_NOT_FOUND' });
    expect(entries.size).toBe(0);
  });
});

describe('a storage that fails later', () => {
  it.each(ways)('during connect, where it %s, is heard by who listens afterwards, and the room works', async (way) => {
    const relay = new MemoryRelay();
    const { port, fail } = fallible();
    const ana = await enter(relay, { name: 'Ana' });
    fail('write', way, 1);
    const bo = await enter(relay, { invite: ana.invite, persist: 'device', storage: port });
    await reach(bo);
    const errors = errorsOf(bo);
    await vi.advanceTimersByTimeAsync(0);
    expect(errors).toMatchObject([UNAVAILABLE]);
    expect((await inTime((await inTime(bo.send('kept nowhere'))).delivered)).pending).toEqual([]);
    expect(errors).toHaveLength(1);
  });

  it('and hangs, is waited for once, and no more until it stores something again', async () => {
    const { port, fail } = fallible();
    const { bo } = await pair(new MemoryRelay(), port);
    const errors = errorsOf(bo);
    fail('write', 'never answers');
    const took: number[] = [];
    for (const text of ['one', 'two', 'three']) {
      const before = Date.now();
      await inTime(bo.send(text));
      took.push(Date.now() - before);
    }
    expect(took[0]).toBeLessThan(6_000);
    expect(Math.max(...took.slice(1))).toBeLessThan(1_000);
    expect(errors).toMatchObject([UNAVAILABLE]);
  });

  it('because it is full, is told once each time, and what it refused is stored once there is room', async () => {
    const { port, fail, mend } = fallible();
    const { ana, bo, back } = await pair(new MemoryRelay(), port);
    const errors = errorsOf(bo);
    const say = async (text: string) => inTime((await inTime(bo.send(text))).delivered);
    fail('write', 'refuses it');
    await say('one');
    await say('two');
    expect(errors).toMatchObject([UNAVAILABLE]);
    mend();
    await say('three');
    fail('write', 'refuses it');
    await say('four');
    expect(errors).toMatchObject([UNAVAILABLE, UNAVAILABLE]);
    mend();
    await say('five');
    await inTime(bo.suspend());
    const again = await back();
    expect(again.history().map(({ text }) => text)).toEqual(['one', 'two', 'three', 'four', 'five']);
    await reach(ana);
  });

  it.each(ways)('when it is to erase, where it %s: forgetting rejects, and leaving says so and ends', async (way) => {
    const { port, fail } = fallible();
    const { bo } = await pair(new MemoryRelay(), port);
    const errors = errorsOf(bo);
    fail('erase', way);
    await expect(inTime(bo.forget())).rejects.toMatchObject(UNAVAILABLE);

    const other = fallible();
    const { bo: leaving } = await pair(new MemoryRelay(), other.port);
    const told = errorsOf(leaving);
    other.fail('write', way);
    await inTime(leaving.leave());
    expect(told[0]).toMatchObject(UNAVAILABLE);
    expect(leaving.state).toBe('closed');
    expect(errors).toEqual([]);
  });
});

describe('a storage that loses what it kept', () => {
  it('at once is found out before the room is entered', async () => {
    const storage: StoragePort = { ...memoryStorage(), write: async () => undefined };
    await expect(enter(new MemoryRelay(), { persist: 'device', storage })).rejects.toMatchObject(UNAVAILABLE);
  });

  it('while the room is open is told within two minutes, and gets nothing more that nobody could open', async () => {
    const { port, storage } = fallible();
    const { bo } = await pair(new MemoryRelay(), port);
    const errors = errorsOf(bo);
    await storage.erase('');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(errors).toMatchObject([UNAVAILABLE]);
    const { size } = storage.entries;
    await inTime(bo.send('not stored'));
    expect(storage.entries.size).toBe(size);
  });

  it('costs one message what was damaged of it, and says so', async () => {
    const { port, storage } = fallible();
    const { ana, bo, back } = await pair(new MemoryRelay(), port);
    for (const text of ['one', 'two']) await inTime((await inTime(ana.send(text))).delivered);
    await inTime(bo.suspend());
    const [first] = [...storage.entries.keys()].filter((name) => name.includes('/message/'));
    await storage.write(new Map([[first as string, new Uint8Array(40)]]));
    const again = await back();
    expect(again.history().map(({ text }) => text)).toEqual(['two']);
    const errors = errorsOf(again);
    await vi.advanceTimersByTimeAsync(0);
    expect(errors).toMatchObject([UNAVAILABLE]);
  });

  it.each(['/room/', '/key/', '/identity/'])('where %s is damaged, enters anew and says so', async (part) => {
    const { port, storage } = fallible();
    const { bo, back } = await pair(new MemoryRelay(), port);
    await inTime(bo.suspend());
    const [name] = [...storage.entries.keys()].filter((each) => each.includes(part));
    await storage.write(new Map([[name as string, new Uint8Array(40)]]));
    const again = await back();
    expect(again.me.id).not.toBe(bo.me.id);
    const errors = errorsOf(again);
    await vi.advanceTimersByTimeAsync(0);
    expect(errors).toMatchObject([UNAVAILABLE]);
  });

  it.each(ways)('only for a moment, where reading %s, erases nothing', async (way) => {
    const { port, fail, mend, entries } = fallible();
    const { bo, back } = await pair(new MemoryRelay(), port);
    await inTime(bo.suspend());
    const { size } = entries;
    for (const [step, after] of [
      ['get', 2],
      ['list', 1],
    ] as const) {
      fail(step, way, after);
      await expect(back()).rejects.toMatchObject(UNAVAILABLE);
      expect(entries.size).toBe(size);
    }
    mend();
    expect((await back()).me.id).toBe(bo.me.id);
  });
});
