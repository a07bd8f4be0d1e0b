import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIN_PADDED_BYTES, pad, padme, unpad } from './padding.ts';

describe('padding', () => {
  it('returns what was padded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (content) => {
        expect([...unpad(pad(content))]).toEqual([...content]);
      }),
    );
  });

  it('makes short contents alike and adds at most 12 % to long ones', () => {
    for (let length = 0; length <= MIN_PADDED_BYTES - 4; length++)
      expect(pad(new Uint8Array(length)).length).toBe(MIN_PADDED_BYTES);
    for (let length = 300; length < 70_000; length += 97) expect(padme(length) / length).toBeLessThanOrEqual(1.12);
  });

  it('rounds the lengths of the paper as the paper does', () => {
    // Nikitin et al. 2019, §4.3: 9 keeps its length, 4100 loses its lowest eight bits.
    expect(padme(9)).toBe(10);
    expect(padme(4100)).toBe(4352);
  });

  it('refuses padding that is not zero and lengths that do not fit', () => {
    const padded = pad(new Uint8Array(3));
    padded[200] = 1;
    expect(() => unpad(padded)).toThrow();
    expect(() => unpad(new Uint8Array([0, 0, 0, 9, 1]))).toThrow();
    expect(() => pad(new Uint8Array(10), 13)).toThrow();
  });
});
