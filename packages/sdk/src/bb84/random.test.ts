import { afterEach, describe, expect, it, vi } from 'vitest';
import { popcount, setBit } from './bits.ts';
import { biasedBits, foldBits, randomBits, randomBytes } from './random.ts';

afterEach(() => vi.restoreAllMocks());

describe('random bytes', () => {
  it('are asked for 65536 at a time, which is all that one call gives', () => {
    const asked: number[] = [];
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const bytes = array as unknown as Uint8Array;
      asked.push(bytes.length);
      bytes.fill(asked.length);
      return array;
    });
    const bytes = randomBytes(2 * 65_536 + 1);
    expect(asked).toEqual([65_536, 65_536, 1]);
    expect([0, 65_535, 65_536, 131_071, 131_072].map((at) => bytes[at])).toEqual([1, 1, 2, 2, 3]);
    asked.length = 0;
    expect(randomBytes(65_536)).toHaveLength(65_536);
    expect(randomBytes(0)).toHaveLength(0);
    expect(asked).toEqual([65_536]);
  });

  it('as bits end in zeros', () => {
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      (array as unknown as Uint8Array).fill(0xff);
      return array;
    });
    expect(randomBits(11)).toEqual(Uint8Array.of(0xff, 0xe0));
    expect(randomBits(8)).toEqual(Uint8Array.of(0xff));
  });
});

describe('bits that are one with a probability', () => {
  const fresh = Array.from({ length: 8 }, (_, i) => Uint8Array.of(0x53 * (i + 1), 0xa7 * (i + 3)));

  /** What is made of the fresh strings, and how many of them it took. */
  function folded(length: number, numerator: number, digits: number): [number[], number] {
    let used = 0;
    const bits = foldBits(length, numerator, digits, (bytes) => {
      expect(bytes).toBe(Math.ceil(length / 8));
      return fresh[used++] as Uint8Array;
    });
    return [[...bits], used];
  }

  const each = (f: (strings: readonly number[]) => number): number[] =>
    [0, 1].map((at) => f(fresh.map((bytes) => bytes[at] as number)));

  it.each<[number, number, number, (strings: readonly number[]) => number]>([
    [1, 1, 1, ([a = 0]) => a],
    [1, 2, 2, ([a = 0, b = 0]) => a & b],
    [3, 2, 2, ([a = 0, b = 0]) => a | b],
    [5, 3, 3, ([a = 0, b = 0, c = 0]) => (a & b) | c],
    [3, 3, 3, ([a = 0, b = 0, c = 0]) => (a | b) & c],
    // Zeros at the end are skipped: a half is one string, in however many digits it is told.
    [128, 8, 1, ([a = 0]) => a],
    [192, 8, 2, ([a = 0, b = 0]) => a | b],
  ])('take a fresh string for each binary digit of %d in 2^%d but zeros at the end', (numerator, digits, strings, f) => {
    expect(folded(16, numerator, digits)).toEqual([each(f), strings]);
    const [high = 0, low = 0] = each(f);
    expect(folded(11, numerator, digits)).toEqual([[high, low & 0xe0], strings]);
  });

  it('take no luck for never and for always', () => {
    expect(folded(11, 0, 8)).toEqual([[0, 0], 0]);
    expect(folded(11, 256, 8)).toEqual([[0xff, 0xe0], 0]);
  });

  it('meet the probability to within a part in 2^17', () => {
    // A uniform string in which each of 65536 numbers stands once: sixteen digits decide, so that the share is exact.
    let digit = 15;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const bytes = array as unknown as Uint8Array;
      const bit = digit--;
      for (let number = 0; number < 65_536; number++) if (((number >>> (15 - bit)) & 1) === 0) setBit(bytes, number);
      return array;
    });
    // 0.3 is 19661/65536, rounded; its last digit is a one, so that all sixteen are drawn.
    const bits = biasedBits(65_536, 0.3);
    expect(digit).toBe(-1);
    expect(popcount(bits)).toBe(19_661);
  });
});
