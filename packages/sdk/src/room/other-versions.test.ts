import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OtherVersions } from './other-versions.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const answered = (others: OtherVersions, seat: string, times: number) =>
  Array.from({ length: times }, () => others.mayAnswer(seat)).filter(Boolean).length;

describe('a seat that speaks another version', () => {
  it('is answered four times at once, then every five seconds, each seat for itself', () => {
    const others = new OtherVersions();
    expect(answered(others, 'a', 10)).toBe(4);
    vi.advanceTimersByTime(5_000);
    expect(answered(others, 'a', 10)).toBe(1);
    expect(answered(others, 'b', 10)).toBe(4);
  });

  it('is told of once, and again after it was given up', () => {
    const others = new OtherVersions();
    expect([others.tell('a'), others.tell('a'), others.tell('b')]).toEqual([true, false, true]);
    others.forget('a');
    expect([others.tell('a'), others.tell('b')]).toEqual([true, false]);
  });

  it('is one of 32 at most that are remembered: who makes seats up makes nothing grow', () => {
    const others = new OtherVersions();
    for (let number = 0; number < 32; number++) others.tell(`${number}`);
    expect(others.tell('0')).toBe(false);
    others.tell('another');
    expect([others.tell('1'), others.tell('0')]).toEqual([false, true]);
  });
});
