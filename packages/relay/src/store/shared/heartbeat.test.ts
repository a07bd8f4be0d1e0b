import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { afterThisTest } from '../../testing/relay-fixture.ts';
import { BEAT_MS, Heartbeat, LATE_MS } from './heartbeat.ts';

describe('a heartbeat', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function beating(beat: () => Promise<unknown>) {
    const told: string[] = [];
    const heartbeat = new Heartbeat(beat, {
      heartbeatLate: (ms) => told.push(`late ${ms}`),
      heartbeatBack: (ms) => told.push(`back ${ms}`),
      failed: (error) => told.push(`failed ${error}`),
    });
    afterThisTest(() => heartbeat.stop());
    return { heartbeat, told };
  }

  it('beats every second, and knows when it last did', async () => {
    const beat = vi.fn(async () => {});
    const { heartbeat, told } = beating(beat);
    await vi.advanceTimersByTimeAsync(5 * BEAT_MS + 300);
    expect(beat).toHaveBeenCalledTimes(5);
    expect(heartbeat.age).toBe(300);
    expect(told).toEqual([]);
  });

  it('is not sent again while one is on its way, however long that takes, and counts from its arrival', async () => {
    let arrive = () => {};
    const beat = vi.fn(() => new Promise<void>((resolve) => (arrive = resolve)));
    const { heartbeat } = beating(beat);
    await vi.advanceTimersByTimeAsync(2.5 * BEAT_MS);
    expect(beat).toHaveBeenCalledTimes(1);
    arrive();
    await vi.advanceTimersByTimeAsync(400);
    expect(heartbeat.age).toBe(400);
    expect(beat).toHaveBeenCalledTimes(1);
  });

  it('that is late is told of once, and once more when it is back', async () => {
    let works = false;
    const { told } = beating(() => (works ? Promise.resolve() : new Promise((_, reject) => setTimeout(reject, 10, 'gone'))));
    await vi.advanceTimersByTimeAsync(LATE_MS + 500);
    expect(told.filter((line) => !line.startsWith('failed'))).toEqual([]);
    await vi.advanceTimersByTimeAsync(5 * BEAT_MS);
    works = true;
    await vi.advanceTimersByTimeAsync(3 * BEAT_MS);
    expect(told.filter((line) => !line.startsWith('failed'))).toEqual([`late ${LATE_MS + BEAT_MS}`, `back ${9 * BEAT_MS}`]);
    expect(told.filter((line) => line === 'failed gone')).toHaveLength(8);
  });

  it('that took very long on its way is late once, not once more when it has arrived', async () => {
    let arrive = () => {};
    const beat = vi.fn(async () => {});
    beat.mockImplementationOnce(() => new Promise<void>((resolve) => (arrive = resolve)));
    const { told } = beating(beat);
    await vi.advanceTimersByTimeAsync(14.5 * BEAT_MS);
    arrive();
    await vi.advanceTimersByTimeAsync(5 * BEAT_MS);
    expect(told).toEqual([`late ${LATE_MS + BEAT_MS}`, `back ${14.5 * BEAT_MS}`]);
  });

  it('is told as late by the turn that notices it, when the event loop itself stood still', async () => {
    const { told } = beating(async () => {});
    await vi.advanceTimersByTimeAsync(2 * BEAT_MS);
    const now = performance.now();
    const stoodStill = vi.spyOn(performance, 'now').mockImplementation(() => now + 12_000);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    stoodStill.mockRestore();
    expect(told).toEqual(['late 12000', 'back 12000']);
  });

  it('is over when it is stopped, the one on its way included', async () => {
    let arrive = () => {};
    const beat = vi.fn(() => new Promise<void>((resolve) => (arrive = resolve)));
    const { heartbeat } = beating(beat);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    let stopped = false;
    const stopping = heartbeat.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(3 * BEAT_MS);
    expect(stopped).toBe(false);
    arrive();
    await stopping;
    expect(beat).toHaveBeenCalledTimes(1);
  });
});
