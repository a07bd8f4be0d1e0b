import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { type DecoyInput, decoyKeyLength, type PerIntensity } from './decoy.ts';
import { binaryEntropy } from './finite-key.ts';

const sum = (counts: PerIntensity): number => counts[0] + counts[1] + counts[2];
const leakOf = (nX: PerIntensity, mX: PerIntensity): number => 1.16 * sum(nX) * binaryEntropy(sum(mX) / sum(nX));

const COUNTS = {
  nX: [14666822, 1225856, 2352],
  mX: [75081, 6857, 448],
  nZ: [2693906, 225157, 432],
  mZ: [13790, 1259, 82],
} as const;

const WORKED: DecoyInput = {
  intensities: [0.5, 0.1, 0.0002],
  probabilities: [0.6, 0.25, 0.15],
  ...COUNTS,
  leak: leakOf(COUNTS.nX, COUNTS.mX),
  epsSec: 1e-9,
  epsCor: 1e-15,
};

const scaled = (factor: number): DecoyInput => {
  const scale = ([a, b, c]: PerIntensity): PerIntensity => [
    Math.round(a * factor),
    Math.round(b * factor),
    Math.round(c * factor),
  ];
  const [nX, mX] = [scale(COUNTS.nX), scale(COUNTS.mX)];
  return { ...WORKED, nX, mX, nZ: scale(COUNTS.nZ), mZ: scale(COUNTS.mZ), leak: leakOf(nX, mX) };
};

describe('the length of a decoy-state key', () => {
  it('has the worked values', () => {
    const result = decoyKeyLength(WORKED);
    expect(result.s1.toFixed(2)).toBe('9326500.71');
    expect(result.sZ1.toFixed(2)).toBe('1616382.50');
    expect(result.phaseError.toFixed(10)).toBe('0.0131640229');
    expect(result.length).toBe(7520223);
  });

  it('has the worked values where empty pulses are detected too, by dark counts', () => {
    // Computed from the paper's equations apart from this code, with 50 digits.
    const result = decoyKeyLength({
      ...WORKED,
      nX: [14_812_389, 1_316_340, 62_352],
      nZ: [2_726_687, 241_745, 11_432],
      mZ: [27_133, 9553, 5582],
      leak: 3_000_000,
    });
    expect(result.s0.toFixed(2)).toBe('231008.68');
    expect(result.s1.toFixed(2)).toBe('9313628.66');
    expect(result.sZ1.toFixed(2)).toBe('1608889.86');
    expect(result.vZ1.toFixed(2)).toBe('26384.00');
    expect(result.phaseError.toFixed(10)).toBe('0.0173572356');
    expect(result.length).toBe(5_367_759);
  });

  it('is 0 when the test basis bounds no single photon, where the bare formula gives a key', () => {
    const { s0, s1, sZ1, vZ1, phaseError, length } = decoyKeyLength({ ...WORKED, nZ: [900, 60, 30], mZ: [1, 0, 0] });
    expect(sZ1).toBeLessThanOrEqual(0);
    expect(phaseError).toBe(0.5);
    expect(length).toBe(0);

    const b = vZ1 / sZ1;
    const ratio = (sZ1 + s1) / (sZ1 * s1);
    const gamma = Math.sqrt(((ratio * (1 - b) * b) / Math.LN2) * Math.log2((ratio / ((1 - b) * b)) * (21 / 1e-9) ** 2));
    const bare = s0 + s1 * (1 - binaryEntropy(b + gamma)) - WORKED.leak - 6 * Math.log2(21 / 1e-9) - Math.log2(2 / 1e-15);
    expect(bare).toBeGreaterThan(1e6);
  });

  it('is 0 when the key basis bounds no single photon', () => {
    expect(decoyKeyLength({ ...WORKED, nX: [14666822, 100, 2352] })).toMatchObject({ s1: 0, length: 0 });
  });

  it('is 0 with no detections at all', () => {
    const none: PerIntensity = [0, 0, 0];
    expect(decoyKeyLength({ ...WORKED, nX: none, mX: none, nZ: none, mZ: none, leak: 0 }).length).toBe(0);
  });

  it('never falls as the same link runs longer', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.0005, max: 100, noNaN: true }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        (factor, more) => {
          // Rounding the scaled counts moves a length by a few hundred bits either way.
          const [short, long] = [decoyKeyLength(scaled(factor)), decoyKeyLength(scaled(factor * more))];
          expect(long.length).toBeGreaterThanOrEqual(short.length - 1000 * Number(short.length > 0));
        },
      ),
    );
  });

  it('never rises with errors in the test basis', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 40_000 }), (a, b) => {
        const length = (errors: number): number => decoyKeyLength({ ...WORKED, mZ: [13790, errors, 82] }).length;
        expect(length(Math.max(a, b))).toBeLessThanOrEqual(length(Math.min(a, b)));
      }),
    );
  });

  it('never rises as ε falls', () => {
    const epsilons = fc.integer({ min: 3, max: 40 }).map((power) => 10 ** -power);
    fc.assert(
      fc.property(epsilons, epsilons, fc.double({ min: 0.001, max: 10, noNaN: true }), (a, b, factor) => {
        const length = (epsSec: number): number => decoyKeyLength({ ...scaled(factor), epsSec }).length;
        expect(length(Math.min(a, b))).toBeLessThanOrEqual(length(Math.max(a, b)));
      }),
    );
  });

  it('bounds every quantity by what was counted', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.0001, max: 10, noNaN: true }), (factor) => {
        const input = scaled(factor);
        const { s0, s1, phaseError, length } = decoyKeyLength(input);
        expect(s0 + s1).toBeLessThanOrEqual(sum(input.nX));
        expect(phaseError).toBeLessThanOrEqual(0.5);
        expect(length).toBeLessThanOrEqual(sum(input.nX));
        expect(Number.isInteger(length)).toBe(true);
      }),
    );
  });

  it.each([
    ['equal intensities', { intensities: [0.5, 0.5, 0.1] }],
    ['a signal no stronger than its decoys together', { intensities: [0.5, 0.3, 0.2] }],
    ['probabilities that do not sum to 1', { probabilities: [0.5, 0.2, 0.2] }],
    ['a negative count', { nX: [1, -1, 0] }],
    ['an ε of 0', { epsSec: 0 }],
  ] as [string, Partial<DecoyInput>][])('refuses %s', (_, change) => {
    expect(() => decoyKeyLength({ ...WORKED, ...change })).toThrow(QsecError);
  });
});
