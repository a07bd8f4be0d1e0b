import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WaitingFrames } from './waiting-frames.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SEAT = new Uint8Array(16);
const frame = (number: number, size = 1) => new Uint8Array(size).fill(number);
const everything = (frames: WaitingFrames) => frames.take(() => true).map(({ content }) => content[0]);

describe('frames that wait for their keys', () => {
  it('are taken out once they can be opened, in the order they came', () => {
    const frames = new WaitingFrames();
    for (const number of [1, 2, 3, 4]) frames.add(SEAT, frame(number));
    expect(frames.take(([number]) => (number as number) % 2 === 0).map(({ content }) => content[0])).toEqual([2, 4]);
    expect([frames.size, everything(frames), frames.size]).toEqual([2, [1, 3], 0]);
  });

  it('are 64 at most: the oldest goes', () => {
    const frames = new WaitingFrames();
    for (let number = 0; number < 64; number++) frames.add(SEAT, frame(number));
    expect(frames.size).toBe(64);
    frames.add(SEAT, frame(64));
    expect(everything(frames)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
  });

  it('are a MiB at most', () => {
    const frames = new WaitingFrames();
    frames.add(SEAT, frame(1, 524_288));
    frames.add(SEAT, frame(2, 524_288));
    expect(frames.size).toBe(2);
    frames.add(SEAT, frame(3));
    expect(everything(frames)).toEqual([2, 3]);
    // One that is larger than that alone waits for nothing.
    frames.add(SEAT, frame(4, 1_048_577));
    expect(frames.size).toBe(0);
  });

  it('wait half a minute at most', () => {
    const frames = new WaitingFrames();
    frames.add(SEAT, frame(1));
    vi.advanceTimersByTime(10_000);
    frames.add(SEAT, frame(2));
    vi.advanceTimersByTime(20_000);
    expect(frames.size).toBe(2);
    vi.advanceTimersByTime(1);
    expect([frames.size, everything(frames)]).toEqual([1, [2]]);
  });

  it('are gone with the room', () => {
    const frames = new WaitingFrames();
    frames.add(SEAT, frame(1));
    frames.clear();
    expect(frames.size).toBe(0);
  });
});
