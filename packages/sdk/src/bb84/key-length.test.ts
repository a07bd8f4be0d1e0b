import { describe, expect, it } from 'vitest';
import { physicsRandom } from './channel/physics-random.ts';
import type { Intensity } from './channel/types.ts';
import type { DecoyCounts, SampleCounts } from './counts.ts';
import { decoyKeyLength } from './decoy.ts';
import { binaryEntropy, errorRateBound } from './finite-key.ts';
import { decoyReport, type KeyLengthTerms, phaseErrorBound, secretBits, sourceModel } from './key-length.ts';

const terms = (secrecy: number, zOnly = false): KeyLengthTerms => ({
  epsilon: { secrecy, correctness: 1e-15 },
  bound: 'tight',
  zOnly,
  source: 'single-photon',
});

const NO_ERRORS: SampleCounts = { sampledZ: 4000, sampledX: 4000, errorsZ: 0, errorsX: 0, keyZ: 4000, keyX: 4000 };

/** Errors in `k` of `n + k` positions, `marked` of which are wrong, drawn without replacement. */
function sampleErrors(random: { next(): number }, n: number, k: number, marked: number): number {
  let seen = 0;
  for (let i = 0; i < k; i++) if ((random.next() / 2 ** 32) * (n + k - i) < marked - seen) seen++;
  return seen;
}

describe('the length of a single-photon key in both bases', () => {
  it('takes the phase errors of each basis from the sample in the other one', () => {
    const length = (counts: Partial<SampleCounts>): number => secretBits({ ...NO_ERRORS, ...counts }, terms(1e-9), 0);
    // All key in Z: errors in Z cost nothing beyond reconciliation, errors in X do.
    const z = { keyZ: 8000, keyX: 0 };
    expect(length({ ...z, errorsZ: 400 })).toBe(length(z));
    expect(length({ ...z, errorsX: 400 })).toBeLessThan(length(z) - 2000);
    const x = { keyZ: 0, keyX: 8000 };
    expect(length({ ...x, errorsX: 400 })).toBe(length(x));
    expect(length({ ...x, errorsZ: 400 })).toBeLessThan(length(x) - 2000);
  });

  it('gives nothing for the bits of a basis of which the other one has no sample', () => {
    const half = secretBits({ ...NO_ERRORS, sampledX: 0 }, terms(1e-9), 0);
    expect(half).toBe(secretBits({ ...NO_ERRORS, sampledX: 0, keyZ: 0 }, terms(1e-9), 0));
    expect(half).toBeGreaterThan(2000);
  });

  it('is the sum of what each basis gives, with half of the failure probability each', () => {
    const counts = { sampledZ: 3000, sampledX: 2000, errorsZ: 30, errorsX: 60, keyZ: 5000, keyX: 6000 };
    const part = (n: number, k: number, errors: number): number =>
      n * (1 - binaryEntropy(errorRateBound({ n, k, qber: errors / k, epsSec: 1e-9 / Math.SQRT2, bound: 'tight' })));
    const bits = part(5000, 2000, 60) + part(6000, 3000, 30) - 100 - Math.log2(2e15) + 2 * Math.log2(1e-9);
    expect(secretBits(counts, terms(1e-9), 100)).toBe(Math.floor(bits));
    expect(phaseErrorBound(counts, terms(1e-9))).toBe(
      errorRateBound({ n: 5000, k: 2000, qber: 0.03, epsSec: 1e-9 / Math.SQRT2, bound: 'tight' }),
    );
  });

  it.each([
    ['balanced', { sampledZ: 400, sampledX: 400, keyZ: 400, keyX: 400 }],
    ['lopsided: few compared in X, much key in Z', { sampledZ: 700, sampledX: 60, keyZ: 700, keyX: 60 }],
    ['lopsided: few compared in Z, much key in X', { sampledZ: 60, sampledX: 700, keyZ: 60, keyX: 700 }],
    ['crossed: much compared in X, much key in Z', { sampledZ: 60, sampledX: 700, keyZ: 700, keyX: 60 }],
  ])('rests on a bound that simulated samples exceed no more often than ε allows (%s)', (layout, sizes) => {
    // ε = 0.8 allows (0.8/4)² = 4 %. Eve measured in one basis: all errors are in the other, the one that bounds the larger part.
    const [runs, allowed] = [4000, 0.04];
    const random = physicsRandom(5);
    const { sampledZ, sampledX, keyZ, keyX } = sizes;
    const [wrongX, wrongZ] = keyZ >= keyX ? [Math.round(0.1 * (sampledX + keyZ)), 0] : [0, Math.round(0.1 * (sampledZ + keyX))];
    const exceeded = { ours: 0, pooled: 0 };
    for (let run = 0; run < runs; run++) {
      const errorsX = sampleErrors(random, keyZ, sampledX, wrongX);
      const errorsZ = sampleErrors(random, keyX, sampledZ, wrongZ);
      const [phaseZ, phaseX] = [wrongX - errorsX, wrongZ - errorsZ];
      // What the other basis could have shown, in bits, against what the length allows for it.
      const truth = keyZ * binaryEntropy(phaseZ / keyZ) + keyX * binaryEntropy(phaseX / keyX);
      const counts = { ...sizes, errorsX, errorsZ };
      const allowance = keyZ + keyX - Math.log2(2e15) + 2 * Math.log2(0.8) - secretBits(counts, terms(0.8), 0);
      if (truth > allowance) exceeded.ours++;

      // The control: one bound over both samples, at their combined rate.
      const [n, k] = [keyZ + keyX, sampledZ + sampledX];
      const pooled = errorRateBound({ n, k, qber: (errorsX + errorsZ) / k, epsSec: 0.8, bound: 'tight' });
      if (phaseZ + phaseX > n * pooled) exceeded.pooled++;
    }
    // 5σ of this many runs above what is allowed.
    const limit = allowed + 5 * Math.sqrt((allowed * (1 - allowed)) / runs);
    expect(exceeded.ours / runs).toBeLessThan(limit);
    if (layout.startsWith('lopsided')) expect(exceeded.pooled / runs).toBeGreaterThan(2 * limit);
  });
});

describe('the length of a single-photon key in Z alone', () => {
  it('does not depend on errors in Z', () => {
    const length = (errorsZ: number, errorsX: number): number =>
      secretBits({ ...NO_ERRORS, keyX: 0, errorsZ, errorsX }, terms(1e-9, true), 0);
    expect(length(400, 10)).toBe(length(0, 10));
    expect(length(0, 400)).toBeLessThan(length(0, 10));
  });
});

describe('the length of a key whose source sends several photons', () => {
  const setting = { intensities: [0.5, 0.1, 0.0002], probabilities: [0.6, 0.25, 0.15] } as const;
  const counts: DecoyCounts = {
    key: [14_666_822, 1_225_856, 2352],
    sampledZ: [4_000_000, 300_000, 600],
    errorsZ: [20_000, 1700, 110],
    sampledX: [2_693_906, 225_157, 432],
    errorsX: [13_790, 1259, 82],
  };
  const sums = { sampledZ: 4_300_600, sampledX: 2_919_495, errorsZ: 21_810, errorsX: 15_131, keyZ: 15_895_030, keyX: 0 };
  const decoys: KeyLengthTerms = { ...terms(1e-9, true), source: setting };

  it('is that of the decoy analysis, with Z for its key and X for its test', () => {
    const expected = decoyKeyLength({
      ...setting,
      nX: counts.key,
      mX: [0, 0, 0],
      nZ: counts.sampledX,
      mZ: counts.errorsX,
      leak: 1_000_000,
      epsSec: 1e-9,
      epsCor: 1e-15,
    });
    expect(secretBits(sums, decoys, 1_000_000, counts)).toBe(expected.length);
    expect(expected.length).toBeGreaterThan(1_000_000);
    expect(phaseErrorBound(sums, decoys, counts)).toBe(expected.phaseError);
    expect(expected.phaseError).toBeLessThan(0.02);
    const { s0, s1, sZ1, vZ1, phaseError } = expected;
    expect(decoyReport(counts, decoys)).toEqual({
      decoy: { ...counts, emptyKey: s0, singleKey: s1, singleX: sZ1, singleErrorsX: vZ1, phaseError },
    });
  });

  it.each([
    ['no decoys bound what an eavesdropper kept', { ...decoys, source: 'unbounded' } as const, counts],
    ['nothing was counted by intensity', decoys, undefined],
  ])('is 0 where %s', (_, given, counted) => {
    expect(secretBits(sums, given, 0, counted)).toBe(0);
    expect(phaseErrorBound(sums, given, counted)).toBe(0.5);
    expect(decoyReport(counted, given)).toEqual({});
  });

  it('has no decoy report where single photons are sent', () => {
    expect(decoyReport(counts, terms(1e-9))).toEqual({});
  });
});

describe('what the intensities of a source allow to conclude', () => {
  const [signal, decoy, vacuum] = [0.5, 0.1, 0].map((mean, k) => ({ mean, probability: [0.5, 0.25, 0.25][k] as number })) as [
    Intensity,
    Intensity,
    Intensity,
  ];

  it('is a bound with three of them, and none with any other number', () => {
    expect(sourceModel()).toBe('single-photon');
    expect(sourceModel([])).toBe('single-photon');
    expect(sourceModel([signal, decoy, vacuum])).toEqual({ intensities: [0.5, 0.1, 0], probabilities: [0.5, 0.25, 0.25] });
    for (const others of [[signal], [signal, decoy], [signal, decoy, vacuum, vacuum]])
      expect(sourceModel(others)).toBe('unbounded');
  });

  it('is refused when three of them are no decoy setting', () => {
    expect(() => sourceModel([signal, signal, vacuum])).toThrow('"intensities"');
    expect(() => sourceModel([signal, decoy, { mean: 0, probability: 0.5 }])).toThrow('"probabilities"');
  });
});
