import { array, between, finite, integer, invalid, object } from './arguments.ts';
import { binaryEntropy, EPSILON_CORRECTNESS, EPSILON_SECRECY } from './finite-key.ts';

/** What was counted for each intensity, strongest first: always three, signal, decoy and vacuum. */
export type PerIntensity = readonly [signal: number, decoy: number, vacuum: number];

export interface DecoyInput {
  /** Mean photon numbers μ1 > μ2 > μ3 ≥ 0, with μ1 > μ2 + μ3. */
  intensities: PerIntensity;
  /** How often each was sent. */
  probabilities: PerIntensity;
  /** Detections in the key basis, by intensity. */
  nX: PerIntensity;
  /** Errors in the key basis, by intensity. The formula does not need them; they are in the leak. */
  mX: PerIntensity;
  /** Detections in the test basis, by intensity. */
  nZ: PerIntensity;
  /** Errors in the test basis, by intensity. */
  mZ: PerIntensity;
  /** Bits given away by reconciliation. */
  leak: number;
  /** Default 1e-9. */
  epsSec?: number;
  /** Default 1e-15. */
  epsCor?: number;
}

export interface DecoyKeyLength {
  /** Lower bound on key-basis detections from empty pulses. */
  s0: number;
  /** Lower bound on key-basis detections from single photons. */
  s1: number;
  /** Lower bound on test-basis detections from single photons. Not positive: nothing is known about them, and no key is left. */
  sZ1: number;
  /** Upper bound on test-basis errors among single photons. */
  vZ1: number;
  /** Upper bound on the phase error rate of the key's single photons, at most 0.5. */
  phaseError: number;
  /** Secret bits, an integer, 0 when none is left. */
  length: number;
}

/**
 * Secret bits left in a decoy-state run with two decoy intensities: Lim, Curty, Walenta, Xu, Zbinden, "Concise security bounds
 * for practical decoy-state quantum key distribution", Phys. Rev. A 89, 022307 (2014), eqs. 1–5 and B1–B4:
 * ℓ = ⌊ s_X0 + s_X1(1 − h(φ)) − leak − 6·log2(21/ε_sec) − log2(2/ε_cor) ⌋.
 *
 * With too few counts the bound on single photons in the test basis, s_Z1, is not positive. The phase error is then unknown,
 * and the length is 0 whatever the formula would say.
 *
 * @throws QsecError `INVALID_ARGUMENT` when the intensities do not satisfy the conditions, a count is none, or the test basis has more errors than detections.
 */
export function decoyKeyLength(input: DecoyInput): DecoyKeyLength {
  const { nX, mX, nZ, mZ } = object('input', input);
  for (const [name, counts] of Object.entries({ nX, mX, nZ, mZ }))
    for (const count of three(name, counts)) integer(name, count, 0);
  for (const k of [0, 1, 2] as const) integer('mZ', mZ[k], 0, nZ[k]);
  return decoyLengthOfAverages(input);
}

/** {@link decoyKeyLength} of counts that need not be whole: what a link gives on average. */
export function decoyLengthOfAverages(input: DecoyInput): DecoyKeyLength {
  const { epsSec = EPSILON_SECRECY, epsCor = EPSILON_CORRECTNESS, leak, intensities } = input;
  requireSetting(input);
  between('epsSec', epsSec, 0, 1);
  between('epsCor', epsCor, 0, 1);
  finite('leak', leak, 0);
  const key = photonBounds(bounds(input.nX, input, epsSec), input);
  const test = photonBounds(bounds(input.nZ, input, epsSec), input);
  const errors = bounds(input.mZ, input, epsSec);
  const [, decoy, vacuum] = intensities;
  const vZ1 = Math.max(0, (poissonMixture(1, input) * (errors.upper[1] - errors.lower[2])) / (decoy - vacuum));
  const s0 = key.empty;
  const s1 = Math.max(0, key.single);
  const phaseError = phaseErrorBound(vZ1, test.single, s1, epsSec);
  const bits = s0 + s1 * (1 - binaryEntropy(phaseError)) - leak - 6 * Math.log2(21 / epsSec) - Math.log2(2 / epsCor);
  const known = test.single > 0 && s1 > 0;
  return { s0, s1, sZ1: test.single, vZ1, phaseError, length: known ? Math.max(0, Math.floor(bits)) : 0 };
}

/** τ_j = Σ_k p_k·e^(−μ_k)·μ_k^j / j! for j = 0, 1: the probability that Alice sends j photons. */
function poissonMixture(j: 0 | 1, { intensities, probabilities }: DecoyInput): number {
  return intensities.reduce((sum, mean, k) => sum + (probabilities[k] as number) * Math.exp(-mean) * (j === 0 ? 1 : mean), 0);
}

interface Interval {
  lower: [number, number, number];
  upper: [number, number, number];
}

/** n±_k = (e^μ_k / p_k)(n_k ± √(n_tot/2 · ln(21/ε_sec))): counts scaled to their expectation for every pulse, with Hoeffding's margin. */
function bounds(counts: PerIntensity, { intensities, probabilities }: DecoyInput, epsSec: number): Interval {
  const total = counts[0] + counts[1] + counts[2];
  const margin = Math.sqrt((total / 2) * Math.log(21 / epsSec));
  const scaled = (k: 0 | 1 | 2, sign: number): number =>
    (Math.exp(intensities[k]) / probabilities[k]) * (counts[k] + sign * margin);
  return { lower: [scaled(0, -1), scaled(1, -1), scaled(2, -1)], upper: [scaled(0, 1), scaled(1, 1), scaled(2, 1)] };
}

/** Lower bounds on detections from empty and from single-photon pulses. `single` may be negative. */
function photonBounds({ lower, upper }: Interval, input: DecoyInput): { empty: number; single: number } {
  const [m1, m2, m3] = input.intensities;
  const tau0 = poissonMixture(0, input);
  const empty = Math.max(0, (tau0 * (m2 * lower[2] - m3 * upper[1])) / (m2 - m3));
  const multi = ((m2 ** 2 - m3 ** 2) / m1 ** 2) * (upper[0] - empty / tau0);
  const single = (poissonMixture(1, input) * m1 * (lower[1] - upper[2] - multi)) / (m1 * (m2 - m3) - m2 ** 2 + m3 ** 2);
  return { empty, single };
}

/** φ = b + γ with b = v_Z1/s_Z1, and γ for carrying the rate from the test basis' single photons over to the key basis'. */
function phaseErrorBound(vZ1: number, sZ1: number, sX1: number, epsSec: number): number {
  if (sZ1 <= 0 || sX1 <= 0) return 0.5;
  // γ vanishes at b = 0, where it says nothing about so few samples: count one error at least.
  const b = Math.max(vZ1, 1) / sZ1;
  if (b >= 0.5) return 0.5;
  const spread = ((sZ1 + sX1) * (1 - b) * b) / (sZ1 * sX1 * Math.LN2);
  const confidence = Math.log2(((sZ1 + sX1) / (sZ1 * sX1 * (1 - b) * b)) * (21 / epsSec) ** 2);
  return Math.min(0.5, b + Math.sqrt(spread * Math.max(0, confidence)));
}

const three = <T extends readonly number[]>(name: string, value: T): T =>
  array(name, value, 'three numbers: of signal, decoy and vacuum', 3);

/** Refuses intensities and probabilities that are no setting of two decoys. */
export function requireSetting({ intensities, probabilities }: Pick<DecoyInput, 'intensities' | 'probabilities'>): void {
  const [m1, m2, m3] = three('intensities', intensities);
  for (const mean of intensities) finite('intensities', mean, 0, 100);
  if (!(m1 > m2 + m3 && m2 > m3)) throw invalid('intensities', 'μ1 > μ2 + μ3 and μ2 > μ3 ≥ 0', intensities.join(', '));
  for (const p of three('probabilities', probabilities)) between('probabilities', p, 0, 1);
  const sum = probabilities[0] + probabilities[1] + probabilities[2];
  if (Math.abs(sum - 1) > 1e-9) throw invalid('probabilities', 'a sum of 1', sum);
}
