import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Peer } from './peer.ts';
import { Receipts } from './receipts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bo = { id: 'bo' } as Peer;
const cy = { id: 'cy' } as Peer;
const id = (number: number) => Uint8Array.of(number);

function collected() {
  const sent: [string, number][] = [];
  const receipts = new Receipts(({ id: author }, ids) => sent.push([author, ids.length]));
  return { receipts, sent };
}

describe('receipts', () => {
  it('of messages that come together travel together, each to its author, once', () => {
    const { receipts, sent } = collected();
    receipts.add(bo, id(1));
    vi.advanceTimersByTime(10);
    receipts.add(cy, id(2));
    receipts.add(bo, id(3));
    vi.advanceTimersByTime(9);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([
      ['bo', 2],
      ['cy', 1],
    ]);
    receipts.add(bo, id(4));
    vi.advanceTimersByTime(20);
    expect(sent.slice(2)).toEqual([['bo', 1]]);
  });

  it('are 256 in a frame at most', () => {
    const { receipts, sent } = collected();
    for (let number = 0; number < 513; number++) receipts.add(bo, id(number));
    vi.advanceTimersByTime(20);
    expect(sent).toEqual([
      ['bo', 256],
      ['bo', 256],
      ['bo', 1],
    ]);
  });

  it('are sent no more once the room is left', () => {
    const { receipts, sent } = collected();
    receipts.add(bo, id(1));
    receipts.close();
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual([]);
  });
});
