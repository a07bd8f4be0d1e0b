import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Allowance } from './allowance.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('an allowance', () => {
  it('gives all it has at once, and nothing more until time goes by', () => {
    const allowance = new Allowance(10, 4);
    expect(allowance.spend(3)).toBe(true);
    expect(allowance.left).toBe(7);
    expect(allowance.spend(8)).toBe(false);
    expect(allowance.left).toBe(7);
    expect(allowance.spend(7)).toBe(true);
    expect(allowance.spend(1)).toBe(false);
    expect(allowance.spend(0)).toBe(true);
  });

  it('grows with the time, parts of a second too, and never above its most', () => {
    const allowance = new Allowance(10, 4);
    allowance.spend(10);
    vi.advanceTimersByTime(500);
    expect(allowance.left).toBe(2);
    vi.advanceTimersByTime(250);
    expect(allowance.left).toBe(3);
    vi.advanceTimersByTime(3_600_000);
    expect(allowance.left).toBe(10);
  });

  it('takes back what was not needed, and never above its most', () => {
    const allowance = new Allowance(10, 4);
    allowance.spend(6);
    allowance.restore(2);
    expect(allowance.left).toBe(6);
    allowance.restore(100);
    expect(allowance.left).toBe(10);
  });

  it('neither gives nor takes when the clock is set back', () => {
    const allowance = new Allowance(10, 4);
    allowance.spend(6);
    const now = Date.now();
    vi.setSystemTime(now - 60_000);
    expect(allowance.left).toBe(4);
    vi.setSystemTime(now - 59_000);
    expect(allowance.left).toBe(8);
  });
});
