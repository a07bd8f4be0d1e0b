import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { agree } from './agree.ts';
import { simulatedChannel } from './channel/index.ts';
import { Reservoir } from './reservoir.ts';

/** Refills with successive numbers, so that every byte drawn tells where it came from. */
const counting = (bytes: number) => {
  let next = 0;
  return vi.fn(async () => Uint8Array.from({ length: bytes }, () => next++ & 255));
};

const settled = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

test('it fills itself to its capacity and draws in order, nothing twice', async () => {
  const refill = counting(10);
  const pool = new Reservoir({ refill, capacity: 35, lowWater: 20 });
  await settled();
  expect(pool.available).toBe(40);
  expect(refill).toHaveBeenCalledTimes(4);
  expect(pool.drawNow(3)).toEqual({ key: Uint8Array.of(0, 1, 2), offset: 0 });
  expect(await pool.draw(4)).toEqual({ key: Uint8Array.of(3, 4, 5, 6), offset: 3 });
  await settled();
  expect(refill).toHaveBeenCalledTimes(4);
  await pool.draw(20);
  await settled();
  expect(pool.available).toBeGreaterThanOrEqual(35);
  pool.close();
});

test('who asks for more than there is waits, and is served in order', async () => {
  const pool = new Reservoir({ refill: counting(4), capacity: 16, lowWater: 0 });
  const [a, b, c] = await Promise.all([pool.draw(15), pool.draw(6), pool.draw(1)]);
  expect([a.offset, b.offset, c.offset]).toEqual([0, 15, 21]);
  expect(pool.drawNow(17 - 1)).toBeUndefined();
  pool.close();
});

test('a failed agreement is told and tried again', async () => {
  let attempts = 0;
  const refill = async () => {
    if (++attempts < 3) throw new QsecError('QBER_EXCEEDED', 'noise');
    return new Uint8Array(64);
  };
  const pool = new Reservoir({ refill, capacity: 64, retryDelay: 1 });
  const errors: unknown[] = [];
  pool.on('error', ({ error }) => errors.push(error));
  expect((await pool.draw(32)).key).toHaveLength(32);
  expect(errors).toHaveLength(2);
  pool.close();
});

test('an aborted request leaves the queue, and closing rejects the others', async () => {
  const pool = new Reservoir({
    refill: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const controller = new AbortController();
  const aborted = pool.draw(8, { signal: controller.signal });
  const closed = pool.draw(8);
  controller.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  pool.close();
  await expect(closed).rejects.toMatchObject({ code: 'CLOSED' });
  expect(() => pool.drawNow(1)).toThrow(QsecError);
});

test('every change of the level is told, and what was drawn leaves the pool in order', async () => {
  const pool = new Reservoir({ refill: counting(10), capacity: 20, lowWater: 0 });
  const levels: number[] = [];
  pool.on('level', ({ available }) => levels.push(available));
  await settled();
  expect(pool.drawNow(7)).toEqual({ key: Uint8Array.of(0, 1, 2, 3, 4, 5, 6), offset: 0 });
  expect(pool.drawNow(13)?.offset).toBe(7);
  expect(pool.drawNow(1)).toBeUndefined();
  expect(levels).toEqual([10, 20, 13, 0]);
  pool.close();
});

test('nobody overtakes who waits, until that request is aborted', async () => {
  let give: (key: Uint8Array) => void = () => {};
  const pool = new Reservoir({ capacity: 16, refill: () => new Promise((resolve) => (give = resolve)) });
  const controller = new AbortController();
  const large = pool.draw(16, { signal: controller.signal });
  const small = pool.draw(2);
  give(new Uint8Array(8));
  await settled();
  expect(pool.available).toBe(8);
  expect(pool.drawNow(1)).toBeUndefined();
  controller.abort(new Error('enough'));
  await expect(large).rejects.toThrow('enough');
  expect(await small).toMatchObject({ offset: 0 });
  expect(pool.drawNow(1)).toMatchObject({ offset: 2 });
  pool.close();
});

test('a signal that was aborted before is heard at once, and one that came too late is let go', async () => {
  const pool = new Reservoir({ refill: counting(8), capacity: 8 });
  await expect(async () => pool.draw(1, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  const controller = new AbortController();
  await pool.draw(8, { signal: controller.signal });
  const served = await pool.draw(8, { signal: controller.signal });
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  controller.abort();
  expect(served.offset).toBe(8);
  pool.close();
});

test('filling begins again below the low water and not before', async () => {
  const refill = counting(10);
  const pool = new Reservoir({ refill, capacity: 20, lowWater: 10 });
  await settled();
  expect(refill).toHaveBeenCalledTimes(2);
  pool.drawNow(10);
  await settled();
  expect(refill).toHaveBeenCalledTimes(2);
  pool.drawNow(1);
  await settled();
  expect(refill).toHaveBeenCalledTimes(4);
  pool.close();
});

test('closing twice is closing once, and what an agreement gives afterwards is overwritten', async () => {
  let give: (key: Uint8Array) => void = () => {};
  const pool = new Reservoir({ capacity: 16, refill: () => new Promise((resolve) => (give = resolve)) });
  const levels: number[] = [];
  pool.on('level', ({ available }) => levels.push(available));
  pool.close();
  pool.close();
  const late = Uint8Array.of(1, 2, 3);
  give(late);
  await settled();
  expect([...late]).toEqual([0, 0, 0]);
  expect([pool.available, levels]).toEqual([0, []]);
});

test('after each failure in a row the wait is twice as long, up to 32 times, and one success makes it short again', async () => {
  vi.useFakeTimers();
  try {
    const outcomes = [false, false, false, false, false, false, false, false, true, false, false];
    const calls: number[] = [];
    const pool = new Reservoir({
      capacity: 64,
      retryDelay: 100,
      refill: async () => {
        calls.push(Date.now());
        if (!outcomes[calls.length - 1]) throw new QsecError('QBER_EXCEEDED', 'noise');
        return new Uint8Array(8);
      },
    });
    await vi.advanceTimersByTimeAsync(20_000);
    const waits = calls.slice(1, 11).map((at, i) => at - (calls[i] as number));
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 3200, 3200, 0, 100]);
    pool.close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('options and requests out of range are refused', async () => {
  const refill = counting(1);
  expect(() => new Reservoir({ refill, capacity: 0 })).toThrow('"capacity"');
  expect(() => new Reservoir({ refill, lowWater: 5000 })).toThrow('"lowWater"');
  const pool = new Reservoir({ refill, capacity: 8 });
  expect(() => pool.drawNow(9)).toThrow('"bytes"');
  pool.close();
});

test('two pools fed by the same agreements hold the same key at the same place', async () => {
  const channel = simulatedChannel({ flip: 0.01 });
  const waiting: Uint8Array[] = [];
  const alice = new Reservoir({
    capacity: 1500,
    refill: async () => {
      const run = await agree({ channel });
      waiting.push(run.bob);
      return run.alice.subarray(0, run.report.finalBits >>> 3);
    },
  });
  const key = await alice.draw(1200);
  const bobs = Uint8Array.from(waiting.flatMap((bytes) => [...bytes.subarray(0, bytes.length - 1)]));
  expect(key.key.subarray(0, 700)).toEqual(bobs.subarray(0, 700));
  alice.close();
});
