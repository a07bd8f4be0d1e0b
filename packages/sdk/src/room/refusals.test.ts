import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusals } from './refusals.ts';

describe('frames that are refused', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** How many frames of a seat are taken one after the other, all in vain. */
  const taken = (refusals: Refusals, seat: string, member = true): number => {
    let count = 0;
    while (refusals.take(seat, member)) count++;
    return count;
  };

  it('are 256 of a seat, and then 32 a second', () => {
    const refusals = new Refusals();
    expect(taken(refusals, 'ana')).toBe(256);
    vi.advanceTimersByTime(1000);
    expect(taken(refusals, 'ana')).toBe(32);
    vi.advanceTimersByTime(3_600_000);
    expect(taken(refusals, 'ana')).toBe(256);
  });

  it('are all that is counted: frames that are what they claim to be have no end', () => {
    const refusals = new Refusals();
    for (let i = 0; i < 1000; i++) {
      expect(refusals.take('ana', true)).toBe(true);
      refusals.giveBack('ana', true);
    }
    refusals.giveBack('ana', true);
    expect(taken(refusals, 'ana')).toBe(256);
  });

  it('of one member cost another one nothing', () => {
    const refusals = new Refusals();
    taken(refusals, 'ana');
    expect(refusals.take('bo', true)).toBe(true);
  });

  it('of seats at which nobody is count together', () => {
    const refusals = new Refusals();
    expect(taken(refusals, 'eve', false)).toBe(256);
    expect(refusals.take('mallory', false)).toBe(false);
    expect(refusals.take('bo', true)).toBe(true);
  });
});
