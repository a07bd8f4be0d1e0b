import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Faults } from './faults.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function faults() {
  const lines: unknown[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  return { lines, made: new Faults(log) };
}

const first = (reason: string) => ({ level: 50, reason, msg: 'failed' });
const again = (reason: string, times: number) => ({ level: 50, reason, times, msg: 'failed again' });

describe('faults of the relay in its log', () => {
  it('are told of at once, and as a number while they go on, each kind by itself', () => {
    const { lines, made } = faults();
    for (let i = 0; i < 551; i++) made.tell('SqliteError SQLITE_FULL');
    made.tell('Error EIO');
    expect(lines.splice(0)).toEqual([first('SqliteError SQLITE_FULL'), first('Error EIO')]);
    vi.advanceTimersByTime(10_000);
    expect(lines.splice(0)).toEqual([again('SqliteError SQLITE_FULL', 550)]);
    made.tell('SqliteError SQLITE_FULL');
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(lines.splice(0)).toEqual([again('SqliteError SQLITE_FULL', 1)]);
  });

  it('that were over for a while are told of at once again', () => {
    const { lines, made } = faults();
    made.tell('Error EIO');
    vi.advanceTimersByTime(10_000);
    made.tell('Error EIO');
    expect(lines).toEqual([first('Error EIO'), first('Error EIO')]);
  });

  it('are all told of when the relay stops', () => {
    const { lines, made } = faults();
    for (let i = 0; i < 3; i++) made.tell('Error EIO');
    made.close();
    expect(lines).toEqual([first('Error EIO'), again('Error EIO', 2)]);
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
  });

  it('of more kinds than are counted are each told of', () => {
    const { lines, made } = faults();
    for (let i = 0; i < 102; i++) made.tell(`Error ${i}`);
    made.tell('Error 101');
    made.tell('Error 99');
    expect(lines).toHaveLength(103);
  });
});
