import { describe, expect, it } from 'vitest';
import { SerialQueue } from './serial-queue.ts';

/** Computes for some milliseconds, on this thread. */
function compute(ms: number): void {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

describe('tasks of a room', () => {
  it('run one after the other, in the order they came, also behind one that fails', async () => {
    const queue = new SerialQueue();
    const order: number[] = [];
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((n) =>
        queue.run(async () => {
          await new Promise((resolve) => setTimeout(resolve, 3 - n));
          order.push(n);
          if (n === 2) throw new Error('of the second');
          return n;
        }),
      ),
    );
    expect(order).toEqual([1, 2, 3]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('say how much they hold while they wait', async () => {
    const queue = new SerialQueue();
    const both = [queue.run(() => expect(queue.bytes).toBe(3), 4), queue.run(() => expect(queue.bytes).toBe(0), 3)];
    expect(queue.bytes).toBe(7);
    await Promise.all(both);
  });

  it('let the rest of the page have its turn, however many there are that wait for nothing', async () => {
    const queue = new SerialQueue();
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    const results = Array.from({ length: 30 }, () => queue.run(() => compute(5)));
    await Promise.all(results);
    clearInterval(ticking);
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});
