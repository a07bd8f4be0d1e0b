import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hypergeometricCdf } from './hypergeometric.ts';

const choose = (n: number, k: number): bigint => {
  if (k < 0 || k > n) return 0n;
  let value = 1n;
  for (let i = 0; i < k; i++) value = (value * BigInt(n - i)) / BigInt(i + 1);
  return value;
};

/** The definition, in integers, to 15 digits. */
const exactCdf = (marked: number, N: number, K: number, k: number): number => {
  let sum = 0n;
  for (let i = 0; i <= marked; i++) sum += choose(K, i) * choose(N - K, k - i);
  // 300 decimal places keep the digits of probabilities far below what a double would.
  const scaled = (sum * 10n ** 300n) / choose(N, k);
  return scaled === 10n ** 300n ? 1 : Number(`0.${scaled.toString().padStart(300, '0')}`);
};

const anyUrn = fc
  .integer({ min: 2, max: 300 })
  .chain((N) => fc.tuple(fc.constant(N), fc.integer({ min: 0, max: N }), fc.integer({ min: 1, max: N - 1 })))
  .chain(([N, K, k]) => fc.tuple(fc.constant(N), fc.constant(K), fc.constant(k), fc.integer({ min: 0, max: k })));

describe('the hypergeometric distribution function', () => {
  it('equals the sum of binomial coefficients', () => {
    fc.assert(
      fc.property(anyUrn, ([N, K, k, marked]) => {
        const exact = exactCdf(marked, N, K, k);
        const value = hypergeometricCdf(marked, N, K, k);
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(1e-12);
        if (exact > 0 && exact < 0.1) expect(value / exact).toBeCloseTo(1, 11);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps its relative precision far out in the lower tail', () => {
    expect(hypergeometricCdf(2, 400, 200, 150) / exactCdf(2, 400, 200, 150)).toBeCloseTo(1, 11);
    expect(exactCdf(2, 400, 200, 150)).toBeLessThan(1e-50);
  });

  it.each([
    [[4800, 20_000, 10_000, 10_000], 8.33439705571584e-9],
    [[30, 1_000_000, 200, 300_000], 6.502861998291842e-7],
    [[99_000, 2_000_000, 200_000, 1_000_000], 1.228161909917209e-6],
    [[998_000, 200_000_000, 2_000_000, 100_000_000], 2.241811041886551e-3],
    [[1000, 200_000_000, 2500, 100_000_000], 6.65874853216141e-24],
  ] as const)('keeps eleven digits in samples of any size: %j', ([marked, N, K, k], expected) => {
    // Computed apart from this code, with 60 digits.
    expect(hypergeometricCdf(marked, N, K, k) / expected).toBeCloseTo(1, 11);
  });

  it('keeps eleven digits of what is missing to 1, as far as 1 leaves room for them', () => {
    const missing = 1 - hypergeometricCdf(101_000, 2_000_000, 200_000, 1_000_000);
    expect(Math.abs(missing - 1.200058532496481e-6)).toBeLessThan(1e-15);
  });

  it('is 0 below its support and 1 above', () => {
    expect(hypergeometricCdf(4, 10, 9, 6)).toBe(0);
    expect(hypergeometricCdf(2, 10, 2, 6)).toBe(1);
  });

  it('falls as more items are marked, in samples of any size', () => {
    let last = 1;
    for (let K = 100; K < 4_000_000; K = Math.ceil(K * 1.5)) {
      const value = hypergeometricCdf(1000, 200_000_000, K, 100_000_000);
      expect(value).toBeLessThanOrEqual(last);
      last = value;
    }
    expect(last).toBe(0);
  });
});
