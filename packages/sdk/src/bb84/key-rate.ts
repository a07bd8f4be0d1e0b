import { between, finite, integer, object } from './arguments.ts';
import { type DecoyKeyLength, decoyLengthOfAverages, type PerIntensity, requireSetting } from './decoy.ts';
import { binaryEntropy, EPSILON_CORRECTNESS, EPSILON_SECRECY, type SamplingBound, secretKeyLength } from './finite-key.ts';
import { coherentResponse, type Link, singlePhotonResponse } from './link.ts';

/** Reconciliation efficiency where none is given: bits disclosed over n·h(Q). */
export const DEFAULT_EFFICIENCY = 1.16;

/**
 * Secret bits per sifted bit of an endless single-photon run, 1 − h(Q) − f·h(Q) (Shor and Preskill, Phys. Rev. Lett. 85, 441,
 * 2000), 0 when none.
 *
 * @param qber error rate, 0…0.5.
 * @param efficiency f ≥ 1 of reconciliation.
 */
export const asymptoticKeyFraction = (qber: number, efficiency: number = DEFAULT_EFFICIENCY): number =>
  Math.max(0, 1 - (1 + finite('efficiency', efficiency, 1)) * binaryEntropy(finite('qber', qber, 0, 0.5)));

/** Secret bits a pulse of an endless run with ideal single photons and nearly all of them sent in the key basis. */
export function singlePhotonRate(link: Link, efficiency: number = DEFAULT_EFFICIENCY): number {
  const { gain, error } = singlePhotonResponse(link);
  return gain * asymptoticKeyFraction(error, efficiency);
}

/**
 * Secret bits a pulse of an endless run with infinitely many decoy intensities, nearly all pulses being signals in the key
 * basis: Q1(1 − h(e1)) − f·Q_μ·h(E_μ) (Lo, Ma, Chen, Phys. Rev. Lett. 94, 230504, 2005), 0 when none.
 *
 * @param mean photon number of the signal.
 */
export function decoyRate(link: Link, mean: number, efficiency: number = DEFAULT_EFFICIENCY): number {
  const single = singlePhotonResponse(link);
  const signal = coherentResponse(link, mean);
  finite('efficiency', efficiency, 1);
  const singles = mean * Math.exp(-mean) * single.gain;
  return Math.max(
    0,
    singles * (1 - binaryEntropy(Math.min(0.5, single.error))) - efficiency * signal.gain * binaryEntropy(signal.error),
  );
}

/** Probability that a coherent pulse holds two photons or more: 1 − (1 + μ)e^(−μ), by its series where that cancels. */
export const multiPhotonProbability = (mean: number): number =>
  mean < 1e-3 ? mean ** 2 * (1 / 2 - mean / 3 + mean ** 2 / 8) : 1 - (1 + mean) * Math.exp(-mean);

/**
 * Secret bits a pulse of an endless run without decoy states, where every multi-photon pulse must be taken for detected and known
 * to the eavesdropper, and every error for one of a single photon: Q((1 − Δ)(1 − h(E/(1 − Δ))) − f·h(E)), Δ = P(≥ 2)/Q
 * (Gottesman, Lo, Lütkenhaus, Preskill, Quant. Inf. Comput. 5, 325, 2004), 0 when none.
 */
export function taggedRate(link: Link, mean: number, efficiency: number = DEFAULT_EFFICIENCY): number {
  finite('efficiency', efficiency, 1);
  const { gain, error } = coherentResponse(link, mean);
  const single = gain - multiPhotonProbability(mean);
  if (single <= 0) return 0;
  return Math.max(
    0,
    single * (1 - binaryEntropy(Math.min(0.5, (error * gain) / single))) - efficiency * gain * binaryEntropy(error),
  );
}

interface FiniteRun {
  /** Pulses sent. */
  pulses: number;
  /** Probability of the key basis, on either side; the other basis is the test. */
  keyBasis: number;
  /** Share of the detections in the key basis that are compared in public and carry no key. Default 0. */
  sampleFraction?: number;
  /** f of reconciliation. Default 1.16. */
  efficiency?: number;
  /** Default 1e-9. */
  epsSec?: number;
  /** Default 1e-15. */
  epsCor?: number;
}

/** Fills in the defaults. */
function runOf(run: FiniteRun): Required<FiniteRun> {
  const { pulses, keyBasis, sampleFraction = 0, efficiency = DEFAULT_EFFICIENCY, ...epsilon } = object('run', run);
  const { epsSec = EPSILON_SECRECY, epsCor = EPSILON_CORRECTNESS } = epsilon;
  return {
    pulses: integer('pulses', pulses, 0),
    keyBasis: finite('keyBasis', keyBasis, 0, 1),
    sampleFraction: finite('sampleFraction', sampleFraction, 0, 1),
    efficiency: finite('efficiency', efficiency, 1),
    epsSec: between('epsSec', epsSec, 0, 1),
    epsCor: between('epsCor', epsCor, 0, 1),
  };
}

/**
 * Secret bits of a finite single-photon run whose counts are what the link gives on average.
 *
 * @returns bits, an integer, 0 when none.
 */
export function expectedKeyLength(link: Link, run: FiniteRun & { bound?: SamplingBound }): number {
  const { pulses, keyBasis, sampleFraction, efficiency, epsSec, epsCor } = runOf(run);
  const { bound = 'serfling' } = run;
  const { gain, error } = singlePhotonResponse(link);
  const n = Math.floor(pulses * keyBasis ** 2 * (1 - sampleFraction) * gain);
  const k = Math.floor(pulses * (1 - keyBasis) ** 2 * gain);
  return secretKeyLength({
    n,
    k,
    qber: error,
    leak: efficiency * n * binaryEntropy(error),
    epsSec,
    epsCor,
    bound,
  });
}

/** Secret bits of a finite decoy-state run whose counts are what the link gives on average. */
export function expectedDecoyKeyLength(
  link: Link,
  run: FiniteRun & { intensities: PerIntensity; probabilities: PerIntensity },
): DecoyKeyLength {
  const { pulses, keyBasis, sampleFraction, efficiency, epsSec, epsCor } = runOf(run);
  const { intensities, probabilities } = run;
  requireSetting(run);
  const responses = intensities.map((mean) => coherentResponse(link, mean));
  const counts = (chosen: number, value: (response: { gain: number; error: number }) => number): PerIntensity => {
    const [signal = 0, decoy = 0, vacuum = 0] = responses.map(
      (response, k) => pulses * chosen * (probabilities[k] as number) * value(response),
    );
    return [signal, decoy, vacuum];
  };
  const [key, test] = [keyBasis ** 2 * (1 - sampleFraction), (1 - keyBasis) ** 2];
  const nX = counts(key, ({ gain }) => gain);
  const mX = counts(key, ({ gain, error }) => gain * error);
  const n = nX[0] + nX[1] + nX[2];
  const leak = n === 0 ? 0 : efficiency * n * binaryEntropy((mX[0] + mX[1] + mX[2]) / n);
  return decoyLengthOfAverages({
    intensities,
    probabilities,
    nX,
    mX,
    nZ: counts(test, ({ gain }) => gain),
    mZ: counts(test, ({ gain, error }) => gain * error),
    leak,
    epsSec,
    epsCor,
  });
}

/**
 * Secret bits of a finite run with weak coherent pulses and no decoy states, whose counts are what the link gives on average. The
 * number of multi-photon pulses in each basis is bounded by Hoeffding's inequality, each taken for detected and known to the
 * eavesdropper and every error for one of a single photon; what is left is a single-photon run. The two Hoeffding bounds fail
 * with probability ε_sec/21 each, which is taken out of ε_sec.
 *
 * @returns bits, an integer, 0 when none.
 */
export function expectedTaggedKeyLength(link: Link, run: FiniteRun & { mean: number }): number {
  const { pulses, keyBasis, sampleFraction, efficiency, epsSec, epsCor } = runOf(run);
  const { mean } = run;
  const { gain, error } = coherentResponse(link, mean);
  const singles = (sent: number): number => {
    const multi = sent * multiPhotonProbability(mean) + Math.sqrt((sent / 2) * Math.log(21 / epsSec));
    return Math.floor(sent * gain - multi);
  };
  const [sentKey, sentTest] = [pulses * keyBasis ** 2 * (1 - sampleFraction), pulses * (1 - keyBasis) ** 2];
  const [n, k] = [singles(sentKey), singles(sentTest)];
  if (n <= 0 || k <= 0) return 0;
  const qber = Math.min(1, (sentTest * gain * error) / k);
  return secretKeyLength({
    n,
    k,
    qber,
    leak: efficiency * sentKey * gain * binaryEntropy(error),
    epsSec: (epsSec * 19) / 21,
    epsCor,
  });
}
