import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maximise } from './maximise.ts';

describe('the search for the best setting', () => {
  it('finds the top of a hill from anywhere in the box', () => {
    const inside = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(inside, inside, inside), fc.tuple(inside, inside, inside), (top, start) => {
        const hill = (point: readonly number[]): number =>
          -point.reduce((sum, x, i) => sum + (i + 1) * (x - (top[i] as number)) ** 2, 0);
        const box = [[0, 1] as const, [0, 1] as const, [0, 1] as const];
        for (const [i, x] of maximise(hill, start, box).point.entries())
          expect(Math.abs(x - (top[i] as number))).toBeLessThan(1e-3);
      }),
    );
  });

  it('stays where nothing is better', () => {
    expect(maximise(() => 0, [0.25], [[0, 1]])).toEqual({ point: [0.25], value: 0 });
  });
});
