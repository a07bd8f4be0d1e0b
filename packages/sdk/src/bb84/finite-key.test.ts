import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { binaryEntropy, errorRateBound, secretKeyLength, serflingBound, tightErrorBound } from './finite-key.ts';
import { hypergeometricCdf } from './hypergeometric.ts';

const WORKED = [
  { n: 1e4, k: 1e4, qber: 0.02, epsSec: 1e-9, epsCor: 1e-15, mu: 0.066500783686, length: 4001, tight: 5730 },
  { n: 1e5, k: 1e5, qber: 0.05, epsSec: 1e-10, epsCor: 1e-10, mu: 0.022096329746, length: 29307, tight: 34040 },
];

const leakOf = (n: number, qber: number, efficiency = 1.16): number => efficiency * n * binaryEntropy(qber);

const sizes = fc.integer({ min: 100, max: 1_000_000 });
const rates = fc.double({ min: 0, max: 0.12, noNaN: true });
const epsilons = fc.integer({ min: 3, max: 30 }).map((power) => 10 ** -power);

describe('the length of a finite key', () => {
  it.each(WORKED)('has the worked value at n = $n, Q = $qber', ({ n, k, qber, epsSec, epsCor, mu, length, tight }) => {
    const leak = leakOf(n, qber);
    expect(serflingBound({ n, k, epsSec }).toFixed(12)).toBe(mu.toFixed(12));
    expect(secretKeyLength({ n, k, qber, leak, epsSec, epsCor, bound: 'serfling' })).toBe(length);
    expect(secretKeyLength({ n, k, qber, leak, epsSec, epsCor, bound: 'tight' })).toBe(tight);
  });

  it('uses 1e-9 for secrecy, 1e-15 for correctness and the Serfling bound unless told otherwise', () => {
    const input = { n: 20_000, k: 5_000, qber: 0.01, leak: 2_000 };
    expect(secretKeyLength(input)).toBe(secretKeyLength({ ...input, epsSec: 1e-9, epsCor: 1e-15, bound: 'serfling' }));
  });

  it('never falls as key bits are added', () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, rates, epsilons, (n, more, k, qber, epsSec) => {
        const shorter = secretKeyLength({ n, k, qber, leak: leakOf(n, qber), epsSec });
        expect(secretKeyLength({ n: n + more, k, qber, leak: leakOf(n + more, qber), epsSec })).toBeGreaterThanOrEqual(shorter);
      }),
    );
  });

  it('never falls as the sample grows', () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, rates, (n, k, more, qber) => {
        const leak = leakOf(n, qber);
        expect(secretKeyLength({ n, k: k + more, qber, leak })).toBeGreaterThanOrEqual(secretKeyLength({ n, k, qber, leak }));
      }),
    );
  });

  it.each(['serfling', 'tight'] as const)('never rises with the error rate (%s)', (bound) => {
    fc.assert(
      fc.property(sizes, sizes, rates, rates, (n, k, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const length = (qber: number): number => secretKeyLength({ n, k, qber, leak: leakOf(n, low), bound });
        expect(length(high)).toBeLessThanOrEqual(length(low));
      }),
    );
  });

  it.each(['serfling', 'tight'] as const)('never rises as ε falls (%s)', (bound) => {
    fc.assert(
      fc.property(sizes, sizes, rates, epsilons, epsilons, (n, k, qber, a, b) => {
        const leak = leakOf(n, qber);
        const length = (epsSec: number, epsCor: number): number => secretKeyLength({ n, k, qber, leak, epsSec, epsCor, bound });
        expect(length(Math.min(a, b), 1e-15)).toBeLessThanOrEqual(length(Math.max(a, b), 1e-15));
        expect(length(1e-9, Math.min(a, b))).toBeLessThanOrEqual(length(1e-9, Math.max(a, b)));
      }),
    );
  });

  it('is an integer between 0 and n', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.double({ min: 0, max: 1, noNaN: true }), (n, k, qber) => {
        const length = secretKeyLength({ n, k, qber, leak: 0 });
        expect(Number.isInteger(length)).toBe(true);
        expect(length).toBeGreaterThanOrEqual(0);
        expect(length).toBeLessThan(n);
      }),
    );
  });

  it('is longer with the tight bound', () => {
    fc.assert(
      fc.property(sizes, sizes, rates, (n, k, qber) => {
        const input = { n, k, qber, leak: leakOf(n, qber) };
        expect(secretKeyLength({ ...input, bound: 'tight' })).toBeGreaterThanOrEqual(secretKeyLength(input));
      }),
    );
  });

  it('is 0 without key bits, without a sample, and when the leak takes everything', () => {
    expect(secretKeyLength({ n: 0, k: 1000, qber: 0, leak: 0 })).toBe(0);
    expect(secretKeyLength({ n: 1000, k: 0, qber: 0, leak: 0 })).toBe(0);
    expect(secretKeyLength({ n: 1e5, k: 1e5, qber: 0.01, leak: 1e5 })).toBe(0);
    expect(secretKeyLength({ n: 1e6, k: 1e6, qber: 0.9, leak: 0 })).toBe(0);
  });

  it('refuses arguments that mean nothing, by name', () => {
    const valid = { n: 1000, k: 1000, qber: 0.01, leak: 0 };
    for (const [name, value] of [
      ['n', -1],
      ['k', Number.NaN],
      ['qber', 1.1],
      ['leak', -5],
      ['epsSec', 0],
      ['epsCor', 1],
    ] as const) {
      try {
        secretKeyLength({ ...valid, [name]: value });
        expect.unreachable();
      } catch (error) {
        expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
        expect(String(error)).toContain(`"${name}"`);
      }
    }
  });
});

describe('the bound on unseen errors', () => {
  it('is the smallest number the sample makes improbable enough', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 50, max: 3000 }),
        fc.integer({ min: 50, max: 3000 }),
        rates,
        epsilons,
        (n, k, qber, epsSec) => {
          const seen = Math.floor(k * qber);
          const E = tightErrorBound({ n, k, qber: seen / k, epsSec });
          const limit = (epsSec / 4) ** 2;
          expect(hypergeometricCdf(seen, n + k, seen + E + 1, k)).toBeLessThanOrEqual(limit);
          if (E > 0) expect(hypergeometricCdf(seen, n + k, seen + E, k)).toBeGreaterThan(limit);
        },
      ),
    );
  });

  it('holds in simulated samples at a large ε', () => {
    // With ε = 0.8 the bound may fail in at most (0.8/4)² = 4 % of samples; 5σ of 2000 draws above that is 6.2 %.
    const [n, k, errors] = [400, 400, 60];
    let failures = 0;
    let state = 1;
    const uniform = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    for (let run = 0; run < 2000; run++) {
      let seen = 0;
      let marked = errors;
      for (let i = 0; i < k; i++) {
        if (uniform() * (n + k - i) < marked) {
          seen++;
          marked--;
        }
      }
      if (marked > tightErrorBound({ n, k, qber: seen / k, epsSec: 0.8 })) failures++;
    }
    expect(failures / 2000).toBeLessThan(0.062);
    expect(failures).toBeGreaterThan(0);
  });

  it('says nothing (0.5) without a sample', () => {
    expect(errorRateBound({ n: 100, k: 0, qber: 0 })).toBe(0.5);
  });
});

describe('the binary entropy', () => {
  it('leaves no asymptotic BB84 key at 11.00278644 %', () => {
    expect(1 - 2 * binaryEntropy(0.1100278644)).toBeCloseTo(0, 9);
  });

  it('is symmetric, 1 at one half and 0 at the ends', () => {
    expect(binaryEntropy(0.5)).toBe(1);
    expect(binaryEntropy(0)).toBe(0);
    expect(binaryEntropy(1)).toBe(0);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (p) => {
        expect(binaryEntropy(p)).toBeCloseTo(binaryEntropy(1 - p), 12);
      }),
    );
  });
});
