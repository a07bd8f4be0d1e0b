import { QsecError } from '../errors.ts';
import { and, forEachOne, getBit, hammingDistance, popcount, xor } from './bits.ts';
import type { Intensity } from './channel/types.ts';
import { type DecoyInput, decoyKeyLength, type PerIntensity } from './decoy.ts';
import { errorRateBound, type SamplingBound, secretKeyLength } from './finite-key.ts';
import type { Epsilon } from './options.ts';
import type { Partition } from './sifting.ts';
import type { QberEstimate } from './types.ts';

/** What the comparison showed, and how much key it speaks for. Both sides hold the same numbers. */
export interface SampleCounts {
  /** Compared bits and errors among them, by basis. */
  sampledZ: number;
  sampledX: number;
  errorsZ: number;
  errorsX: number;
  /** Bits kept for the key, by basis. */
  keyZ: number;
  keyX: number;
}

/** What Alice tells of a decoy run: counts by intensity, strongest first. */
export interface DecoyCounts {
  key: PerIntensity;
  test: PerIntensity;
  testErrors: PerIntensity;
}

/** The announced parameters that key lengths depend on. */
export interface KeyLengthTerms {
  epsilon: Epsilon;
  bound: SamplingBound;
  /** Only Z carries key, and X bounds its phase errors. */
  zOnly: boolean;
  /** How multi-photon pulses are accounted for. */
  source: SourceModel;
}

/** No multi-photon pulses, decoy intensities that bound them, or nothing that does. */
export type SourceModel = 'single-photon' | 'unbounded' | Pick<DecoyInput, 'intensities' | 'probabilities'>;

/** What the announced intensities allow to conclude. Throws INVALID_ARGUMENT when three intensities are no decoy setting. */
export function sourceModel(intensities: readonly Intensity[] = []): SourceModel {
  if (intensities.length === 0) return 'single-photon';
  const [signal, decoy, vacuum, ...more] = intensities;
  if (!signal || !decoy || !vacuum || more.length > 0) return 'unbounded';
  const model = {
    intensities: [signal.mean, decoy.mean, vacuum.mean],
    probabilities: [signal.probability, decoy.probability, vacuum.probability],
  } as const;
  const none: PerIntensity = [0, 0, 0];
  decoyKeyLength({ ...model, nX: none, mX: none, nZ: none, mZ: none, leak: 0 });
  return model;
}

/** Compares two sides' bits at the same positions; `bases` has ones for X. */
export function countSample(
  alice: Uint8Array,
  bob: Uint8Array,
  bases: Uint8Array,
  sampled: number,
): Omit<SampleCounts, 'keyZ' | 'keyX'> {
  const sampledX = popcount(bases);
  const errors = hammingDistance(alice, bob);
  const errorsX = popcount(and(xor(alice, bob), bases));
  return { sampledZ: sampled - sampledX, sampledX, errorsZ: errors - errorsX, errorsX };
}

/**
 * Counts key bits, test bits and errors by intensity.
 *
 * @param classes intensity of each pulse.
 * @param detected over the pulses; the masks of `parts` are over the detected ones.
 * @param alice her test bits.
 * @param bob his.
 */
export function countByIntensity(
  classes: Uint8Array,
  detected: Uint8Array,
  { test, key }: Partition,
  alice: Uint8Array,
  bob: Uint8Array,
): DecoyCounts {
  const counts: Record<keyof DecoyCounts, [number, number, number]> = { key: [0, 0, 0], test: [0, 0, 0], testErrors: [0, 0, 0] };
  const add = (to: number[], index: number, value: number): void => {
    to[index] = (to[index] as number) + value;
  };
  let tested = 0;
  forEachOne(detected, (pulse, position) => {
    const index = classes[pulse] as number;
    add(counts.key, index, getBit(key, position));
    if (!getBit(test, position)) return;
    add(counts.test, index, 1);
    add(counts.testErrors, index, getBit(alice, tested) ^ getBit(bob, tested));
    tested++;
  });
  return counts;
}

const rate = (errors: number, sampled: number): number => (sampled === 0 ? Number.NaN : errors / sampled);

export const sampledOf = ({ sampledZ, sampledX }: SampleCounts): number => sampledZ + sampledX;
export const errorsOf = ({ errorsZ, errorsX }: SampleCounts): number => errorsZ + errorsX;

/** Error rates with the upper confidence bound of the combined one. */
export function estimate(counts: SampleCounts, { epsilon, bound }: KeyLengthTerms): QberEstimate {
  const sampled = sampledOf(counts);
  const combined = rate(errorsOf(counts), sampled);
  const n = counts.keyZ + counts.keyX;
  return {
    z: rate(counts.errorsZ, counts.sampledZ),
    x: rate(counts.errorsX, counts.sampledX),
    combined,
    upperBound: sampled === 0 ? 0.5 : errorRateBound({ n, k: sampled, qber: combined, epsSec: epsilon.secrecy, bound }),
  };
}

/**
 * The reason to stop after the comparison, if any. An eavesdropper who always measures in Z shows nothing there and 50 % in X, so
 * each basis is held to the threshold by itself, and a basis of which nothing was seen is no basis for a key.
 */
export function verdict(counts: SampleCounts, qber: QberEstimate, threshold: number): QsecError | undefined {
  const sampled = sampledOf(counts);
  const facts = { threshold, errors: errorsOf(counts), sampled };
  const [basis, worst] =
    (['combined', 'z', 'x'] as const).map((name) => [name, qber[name]] as const).find(([, q]) => q > threshold) ?? [];
  if (worst !== undefined) {
    const text = `The error rate is ${(100 * worst).toFixed(1)} %, above the threshold of ${(100 * threshold).toFixed(1)} %`;
    return new QsecError('QBER_EXCEEDED', text, { details: { qber: worst, basis, ...facts } });
  }
  if (counts.sampledZ === 0 || counts.sampledX === 0 || counts.keyZ + counts.keyX === 0) {
    return new QsecError('KEY_TOO_SHORT', 'Too few pulses were detected to compare both bases and keep a key', {
      details: { ...facts, sifted: sampled + counts.keyZ + counts.keyX },
    });
  }
  return undefined;
}

/** The error rate that reconciliation is to expect: of the sample in the bases that carry key. */
export const reconciliationRate = (counts: SampleCounts, { zOnly }: KeyLengthTerms): number =>
  zOnly ? rate(counts.errorsZ, counts.sampledZ) : rate(errorsOf(counts), sampledOf(counts));

/**
 * Secret bits in the reconciled key. With both bases carrying key the phase error rate of each is the bit error rate of the
 * other, so the rate that bounds them is weighted across, and never below the combined one.
 *
 * @param leak bits given away, verification tag excluded as far as log2(2/ε_cor) covers it.
 */
export function secretBits(counts: SampleCounts, terms: KeyLengthTerms, leak: number, decoy?: DecoyCounts): number {
  const { epsilon, bound, zOnly, source } = terms;
  const budget = { leak, epsSec: epsilon.secrecy, epsCor: epsilon.correctness };
  const n = counts.keyZ + counts.keyX;
  if (source !== 'single-photon') {
    if (source === 'unbounded' || !decoy) return 0;
    const none: PerIntensity = [0, 0, 0];
    return decoyKeyLength({ ...source, ...budget, nX: decoy.key, mX: none, nZ: decoy.test, mZ: decoy.testErrors }).length;
  }
  if (zOnly) return secretKeyLength({ ...budget, n, k: counts.sampledX, qber: rate(counts.errorsX, counts.sampledX), bound });
  const crossed = (counts.keyZ * rate(counts.errorsX, counts.sampledX) + counts.keyX * rate(counts.errorsZ, counts.sampledZ)) / n;
  const k = sampledOf(counts);
  // Whole errors, rounded up: the tight bound counts them.
  const errors = Math.max(errorsOf(counts), Math.ceil(crossed * k - 1e-9));
  return secretKeyLength({ ...budget, n, k, qber: Math.min(1, errors / k), bound });
}
