import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memoryStorage } from '../testing/memory-storage.ts';
import { lock } from './locks.ts';
import { keepAlive, sessionId, sessionScope, sweep } from './sessions.ts';
import { namesOf } from './stored-room.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CLOSED = 'a'.repeat(22);
const ignore = () => undefined;
const room = namesOf(sessionScope(CLOSED), 'tag').room;

async function storageOfAClosedTab() {
  const storage = memoryStorage();
  const stop = await keepAlive(storage, CLOSED, ignore);
  await storage.write(
    new Map([
      [room, new Uint8Array(1)],
      ['device/room/tag', new Uint8Array(1)],
    ]),
  );
  stop();
  return storage;
}

it('what a closed tab left is swept away once its seat is lost, and nothing else is', async () => {
  const storage = await storageOfAClosedTab();
  const stop = await keepAlive(storage, sessionId(), ignore);
  vi.advanceTimersByTime(599_000);
  await sweep(storage, sessionId());
  expect(storage.entries.has(room)).toBe(true);
  vi.advanceTimersByTime(2_000);
  await sweep(storage, sessionId());
  expect([...storage.entries.keys()]).toEqual(['device/room/tag', `alive/${sessionId()}`]);
  stop();
});

it('a tab that says it is there, and one that cannot but holds its room, are not swept away', async () => {
  const storage = await storageOfAClosedTab();
  const stop = await keepAlive(storage, CLOSED, ignore);
  await vi.advanceTimersByTimeAsync(3_600_000);
  await sweep(storage, undefined);
  expect(storage.entries.has(room)).toBe(true);
  stop();

  const release = await lock(storage, room);
  await vi.advanceTimersByTimeAsync(3_600_000);
  await sweep(storage, undefined);
  expect(storage.entries.has(room)).toBe(true);
  release?.();
  await sweep(storage, undefined);
  expect(storage.entries.has(room)).toBe(false);
});
