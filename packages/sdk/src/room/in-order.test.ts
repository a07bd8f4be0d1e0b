import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InOrder } from './in-order.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The messages of one author, of whom the test says what came and whether it could repeat something. */
function author() {
  const handed: number[] = [];
  const state = { next: 0 as number | undefined, reachable: true };
  const order = new InOrder({ next: () => state.next, reachable: () => state.reachable });
  const came = (index: number, bytes = 1) => order.add(index, `message ${index}`, bytes, () => handed.push(index));
  return { order, state, handed, came };
}

describe('a message that is missing in front of others', () => {
  it('is waited for half a minute, and not longer', () => {
    const { came, handed } = author();
    came(1);
    vi.advanceTimersByTime(29_900);
    expect(handed).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(handed).toEqual([1]);
  });

  it('is waited for only while its author could repeat it', () => {
    const { came, handed, state } = author();
    came(1);
    vi.advanceTimersByTime(15_000);
    state.reachable = false;
    vi.advanceTimersByTime(600_000);
    expect(handed).toEqual([]);
    state.reachable = true;
    vi.advanceTimersByTime(14_900);
    expect(handed).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(handed).toEqual([1]);
  });

  it('that comes in time goes first, and late is handed over all the same', () => {
    const { order, came, handed, state } = author();
    came(1);
    state.next = 2;
    came(0);
    expect(handed).toEqual([0, 1]);
    came(3);
    vi.advanceTimersByTime(30_000);
    came(2);
    expect(handed).toEqual([0, 1, 3, 2]);
    expect(order.holding).toBe(false);
  });

  it('holds back 256 messages and one MiB, and no more', () => {
    const { came, handed } = author();
    for (let index = 1; index <= 256; index++) came(index);
    expect(handed).toEqual([]);
    came(257);
    expect(handed).toEqual([1]);

    const { came: large, handed: ofLarge, order } = author();
    large(1, 2 ** 20);
    expect(ofLarge).toEqual([]);
    large(3);
    expect(ofLarge).toEqual([1]);
    order.flush();
    expect(ofLarge).toEqual([1, 3]);
    large(5, 2 ** 20);
    expect(ofLarge).toEqual([1, 3]);
  });

  it('is not waited for after the end', () => {
    const { order, came, handed, state } = author();
    state.next = 1;
    came(0);
    expect(handed).toEqual([0]);
    came(2);
    expect([order.has('message 2'), order.has('message 1')]).toEqual([true, false]);
    order.close();
    vi.advanceTimersByTime(60_000);
    expect([handed, order.holding]).toEqual([[0], false]);
  });
});
