import { finite, object } from './arguments.ts';
import { fibreTransmittance } from './channel/fibre.ts';

/** Largest mean photon number of a pulse. */
export const MOST_MEAN = 100;

/** A fibre link in numbers, as `simulatedChannel` takes them. */
export interface Link {
  /** Length of the fibre. */
  km: number;
  /** Attenuation of the fibre. Default 0.2. */
  dBPerKm?: number;
  /** Probability that a photon which arrives is detected. Default 1. */
  efficiency?: number;
  /** Probability that one of the two detectors clicks without light during a pulse. Default 0. */
  darkCount?: number;
  /** Probability that a state arrives as its orthogonal one. Default 0. */
  flip?: number;
}

/** What a pulse of some kind does at the receiving end, on average. */
export interface Response {
  /** Probability that it is detected. */
  gain: number;
  /** Probability that a detected one gives the wrong bit in the matching basis; 0.5 when nothing is detected. */
  error: number;
}

/** Probability that a photon which enters the fibre is detected. Throws `INVALID_ARGUMENT` on a link that makes no sense, as all below. */
export function linkTransmittance(link: Link): number {
  const { km, dBPerKm = 0.2, efficiency = 1 } = object('link', link);
  return fibreTransmittance(km, dBPerKm) * finite('efficiency', efficiency, 0, 1);
}

/**
 * The response to light that makes a click by itself with probability s, in threshold detectors that read a random bit when
 * both click: Q = 1 − (1 − s)(1 − d)², and with light the error is the flip probability, or a coin where the other detector
 * has a dark count: E·Q = (1 − s)(1 − (1 − d)²)/2 + s(e(1 − d) + d/2). To first order in d this is the usual
 * e0·Y0 + e·s (Ma, Qi, Zhao, Lo, Phys. Rev. A 72, 012326, 2005, eqs. 10 and 11).
 */
function response(signal: number, { darkCount: d = 0, flip = 0 }: Link): Response {
  finite('darkCount', d, 0, 1);
  finite('flip', flip, 0, 0.5);
  const dark = d * (2 - d);
  const gain = signal + dark - signal * dark;
  const wrong = ((1 - signal) * dark) / 2 + signal * (flip * (1 - d) + d / 2);
  return { gain, error: gain === 0 ? 0.5 : wrong / gain };
}

/** The response to a pulse of exactly one photon: yield Y1 and error e1. */
export const singlePhotonResponse = (link: Link): Response => response(linkTransmittance(link), link);

/** The response to a weak coherent pulse of the given mean photon number: gain Q_μ and error E_μ. */
export const coherentResponse = (link: Link, mean: number): Response =>
  response(-Math.expm1(-finite('mean', mean, 0, MOST_MEAN) * linkTransmittance(link)), link);
