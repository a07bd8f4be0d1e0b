import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_CAPACITY } from '../wire/index.ts';
import { Doubts } from './doubts.ts';

describe('a member that seems to have other keys', () => {
  const begun: string[] = [];
  let doubts: Doubts;
  beforeEach(() => {
    vi.useFakeTimers();
    begun.length = 0;
    doubts = new Doubts((seat) => begun.push(seat));
  });
  afterEach(() => {
    doubts.close();
    vi.useRealTimers();
  });

  it('is approached when nothing comes under keys that both have', () => {
    doubts.raise('bo');
    vi.advanceTimersByTime(2_900);
    expect(begun).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(begun).toEqual(['bo']);
  });

  it('is left in peace when something does', () => {
    doubts.raise('bo');
    doubts.settle('bo');
    vi.advanceTimersByTime(60_000);
    expect(begun).toEqual([]);
  });

  it('is approached once in half a minute, however much comes', () => {
    for (let second = 0; second < 66; second++) {
      doubts.raise('bo');
      doubts.settle('another');
      vi.advanceTimersByTime(1_000);
    }
    expect(begun).toEqual(['bo', 'bo']);
  });

  it('is one of no more than twice a full room', () => {
    for (let i = 0; i < 1_000; i++) doubts.raise(`seat ${i}`);
    vi.advanceTimersByTime(3_000);
    expect(begun).toHaveLength(2 * MAX_CAPACITY);
  });
});
