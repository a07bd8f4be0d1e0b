import { describe, expect, it } from 'vitest';
import { holdingAt } from '../src/components/qsec2-composer/hold.logic';
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
