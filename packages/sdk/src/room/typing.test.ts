import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '../events.ts';
import type { Peer } from './peer.ts';
import type { RoomEvents } from './types.ts';
import { Typing } from './typing.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bo = { id: 'bo' } as Peer;
const cy = { id: 'cy' } as Peer;

function shown() {
  const events = new Emitter<RoomEvents>();
  const told: string[] = [];
  events.on('typing', ({ member, typing }) => told.push(`${member.id} ${typing}`));
  return { typing: new Typing(events), told };
}

describe('that somebody is typing', () => {
  it('is told once, and again when nothing more was heard for six seconds', () => {
    const { typing, told } = shown();
    typing.show(bo);
    vi.advanceTimersByTime(5_000);
    typing.show(bo);
    typing.show(cy);
    vi.advanceTimersByTime(5_999);
    expect(told).toEqual(['bo true', 'cy true']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['bo true', 'cy true', 'bo false', 'cy false']);
    typing.show(bo);
    expect(told).toHaveLength(5);
  });

  it('is over at once with a message, and nothing is told of who did not type', () => {
    const { typing, told } = shown();
    typing.show(bo);
    typing.stop(bo);
    typing.stop(cy);
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual(['bo true', 'bo false']);
  });

  it('is told of no more once the room is left', () => {
    const { typing, told } = shown();
    typing.show(bo);
    typing.close();
    vi.advanceTimersByTime(60_000);
    typing.stop(bo);
    expect(told).toEqual(['bo true']);
  });

  it('is said to the others every two seconds', () => {
    const { typing } = shown();
    expect([typing.due(), typing.due()]).toEqual([true, false]);
    vi.advanceTimersByTime(1_999);
    expect(typing.due()).toBe(false);
    vi.advanceTimersByTime(1);
    expect([typing.due(), typing.due()]).toEqual([true, false]);
  });
});
