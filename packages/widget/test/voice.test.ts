import { afterEach, describe, expect, it, vi } from 'vitest';
import { holdingAt, pullAt } from '../src/components/qsec2-composer/hold.logic';
import { barsOf, nextSpeed, seekTo } from '../src/components/qsec2-voice/qsec2-voice.logic';

describe('a finger on the microphone button', () => {
  it('cancels by going back along the line, and locks by going up', () => {
    expect(holdingAt(-95, 0, false)).toBe('held');
    expect(holdingAt(-96, 0, false)).toBe('cancelled');
    expect(holdingAt(-96, 0, true)).toBe('held');
    expect(holdingAt(96, 0, true)).toBe('cancelled');
    expect(holdingAt(0, -71, false)).toBe('held');
    expect(holdingAt(-20, -72, false)).toBe('locked');
  });

  it('is followed along the way it goes furthest, no further than there is to go', () => {
    expect(pullAt(-48, -9, false)).toEqual({ back: 0.5, up: 0 });
    expect(pullAt(48, 0, false)).toEqual({ back: 0, up: 0 });
    expect(pullAt(48, 0, true)).toEqual({ back: 0.5, up: 0 });
    expect(pullAt(-9, -54, false)).toEqual({ back: 0, up: 0.75 });
    expect(pullAt(0, -500, false)).toEqual({ back: 0, up: 1 });
  });
});

describe('the player', () => {
  it('has 64 bars for any number of peaks', () => {
    expect(barsOf([])).toEqual(Array.from({ length: 64 }, () => 0));
    expect(barsOf([0.5])).toEqual(Array.from({ length: 64 }, () => 0.5));
    const bars = barsOf(Array.from({ length: 256 }, (_, i) => (i === 200 ? 1 : 0.1)));
    expect(bars).toHaveLength(64);
    expect(bars[50]).toBe(1);
  });

  it('goes five seconds by arrow, never past its ends', () => {
    expect(seekTo('ArrowRight', 3, 12)).toBe(8);
    expect(seekTo('ArrowRight', 9, 12)).toBe(12);
    expect(seekTo('ArrowLeft', 3, 12)).toBe(0);
    expect(seekTo('Home', 3, 12)).toBe(0);
    expect(seekTo('End', 3, 12)).toBe(12);
    expect(seekTo('Tab', 3, 12)).toBeUndefined();
  });

  it('goes round its speeds', () => {
    expect([nextSpeed(1), nextSpeed(1.5), nextSpeed(2)]).toEqual([1.5, 2, 1]);
  });
});

describe('the chosen speed', () => {
  const fresh = async () => {
    vi.resetModules();
    return import('../src/media/speed');
  };
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('is kept for every page of the origin, and nothing else is', async () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    };
    vi.stubGlobal('localStorage', storage);
    const { chooseSpeed, chosenSpeed } = await fresh();
    expect(chosenSpeed()).toBe(1);
    chooseSpeed(1.5);
    expect([...kept]).toEqual([['qsec2-speed', '1.5']]);
    expect((await fresh()).chosenSpeed()).toBe(1.5);
    kept.set('qsec2-speed', '99');
    expect((await fresh()).chosenSpeed()).toBe(1);
  });

  it('holds as long as the page where nothing can be kept', async () => {
    vi.stubGlobal('localStorage', undefined);
    const { chooseSpeed, chosenSpeed } = await fresh();
    chooseSpeed(2);
    expect(chosenSpeed()).toBe(2);
  });
});
