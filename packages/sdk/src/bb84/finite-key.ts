import { between, finite, integer, object, word } from './arguments.ts';
import { hypergeometricCdf } from './hypergeometric.ts';

/** Default failure probabilities: of secrecy, and of two unequal keys passing verification. */
export const EPSILON_SECRECY = 1e-9;
export const EPSILON_CORRECTNESS = 1e-15;

/**
 * The binary entropy h(p) in bits; 0 at p = 0 and p = 1.
 *
 * @throws QsecError `INVALID_ARGUMENT` when p is not a probability.
 */
export function binaryEntropy(p: number): number {
  finite('p', p, 0, 1);
  return p === 0 || p === 1 ? 0 : (-p * Math.log(p) - (1 - p) * Math.log1p(-p)) / Math.LN2;
}

/** How the error rate of the key bits is bounded from the sample: by Serfling's inequality, or by the exact hypergeometric tail. */
export type SamplingBound = 'serfling' | 'tight';

export interface SampleSizes {
  /** Key bits. */
  n: number;
  /** Sampled bits. */
  k: number;
  /** Probability that secrecy fails. Default 1e-9. */
  epsSec?: number;
}

/**
 * How far the error rate of n unseen bits may exceed that of k sampled ones, but for a probability (ε_sec/4)²:
 * μ = √( (n+k)/(nk) · (k+1)/k · ln(4/ε_sec) ) (Tomamichel, Lim, Gisin, Renner, Nature Communications 3, 634, 2012, eq. 2).
 *
 * @returns μ as a fraction; Infinity when there is no sample or no key bit.
 * @throws QsecError `INVALID_ARGUMENT` on negative sizes or an ε outside 0…1.
 */
export function serflingBound(input: SampleSizes): number {
  const { n, k, epsSec } = sizes(input);
  if (n === 0 || k === 0) return Number.POSITIVE_INFINITY;
  return Math.sqrt(((n + k) / (n * k)) * ((k + 1) / k) * Math.log(4 / epsSec));
}

/**
 * The most errors that n unseen bits hold when k sampled ones showed ⌊k·qber⌋, but for a probability (ε_sec/4)²: the smallest
 * integer E with HypergeometricCDF(⌊k·qber⌋; n+k, ⌊k·qber⌋+E+1, k) ≤ (ε_sec/4)².
 *
 * @param input with the error rate of the sample, 0…1.
 * @returns E, 0…n.
 * @throws QsecError `INVALID_ARGUMENT` on sizes that are no counts, a rate or an ε outside 0…1.
 */
export function tightErrorBound(input: SampleSizes & { qber: number }): number {
  const { n, k, epsSec } = sizes(input);
  const seen = floorCount(k * finite('qber', input.qber, 0, 1));
  const limit = (epsSec / 4) ** 2;
  // At E = n the sample could not have shown so few errors, so the upper end always holds.
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (hypergeometricCdf(seen, n + k, seen + middle + 1, k) <= limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Upper confidence bound of the error rate of the key bits, as a fraction of at most 0.5: the sampled rate plus μ, or E/n.
 */
export function errorRateBound(input: SampleSizes & { qber: number; bound?: SamplingBound }): number {
  const { n, k } = sizes(input);
  const qber = finite('qber', input.qber, 0, 1);
  const { bound = 'serfling' } = input;
  word('bound', bound, ['serfling', 'tight']);
  if (n === 0 || k === 0) return 0.5;
  const rate = bound === 'tight' ? tightErrorBound(input) / n : qber + serflingBound(input);
  return Math.min(0.5, rate);
}

export interface SecretKeyInput extends SampleSizes {
  /** Error rate of the sample, 0…1. */
  qber: number;
  /** Bits given away by reconciliation, as really sent. The verification tag is not among them: it is inside the ε_cor term. */
  leak: number;
  /** Probability that unequal keys pass verification. Default 1e-15. */
  epsCor?: number;
  /** Default `'serfling'`. */
  bound?: SamplingBound;
}

/**
 * Secret bits left in n reconciled bits of a single-photon run:
 * ℓ = ⌊ n(1 − h(Q + μ)) − leak − log2(2 / (ε_sec²·ε_cor)) ⌋ (Tomamichel, Lim, Gisin, Renner, Nature Communications 3, 634,
 * 2012, eq. 1). The tight bound puts E/n in place of Q + μ.
 *
 * @returns bits, an integer, 0 when none is left.
 * @throws QsecError `INVALID_ARGUMENT` on negative sizes, a rate or an ε outside 0…1.
 */
export function secretKeyLength(input: SecretKeyInput): number {
  const { n, leak, epsSec = EPSILON_SECRECY, epsCor = EPSILON_CORRECTNESS } = object('input', input);
  const phaseError = errorRateBound(input);
  return secretBitsLeft(n * (1 - binaryEntropy(phaseError)), { leak, epsSec, epsCor });
}

/** What is left of `secret` bits after the leak and the terms in ε of eq. 1. */
function secretBitsLeft(secret: number, { leak, epsSec, epsCor }: { leak: number; epsSec: number; epsCor: number }): number {
  between('epsCor', epsCor, 0, 1);
  finite('leak', leak, 0);
  return Math.max(0, Math.floor(secret - leak - Math.log2(2 / epsCor) + 2 * Math.log2(epsSec)));
}

/** A part of a key whose phase errors a sample of its own bounds. */
export interface KeyPart {
  /** Key bits. */
  n: number;
  /** Sampled bits, in the other basis. */
  k: number;
  /** Errors among them. */
  errors: number;
}

/**
 * {@link errorRateBound} of one of `parts` parts of a key. Each fails with probability (ε_sec/4)²/parts, so that all of them hold
 * but for the (ε_sec/4)² that one bound is allowed.
 */
export const partErrorBound = ({ n, k, errors }: KeyPart, parts: number, epsSec: number, bound: SamplingBound): number =>
  k === 0 ? 0.5 : errorRateBound({ n, k, qber: errors / k, epsSec: epsSec / Math.sqrt(parts), bound });

/**
 * {@link secretKeyLength} of a key in several parts, such as the bits of two bases: the strings that the other basis could show
 * number at most 2^Σ nᵢh(φᵢ), each φᵢ bounded from its own sample, so Σ nᵢ(1 − h(φᵢ)) stands for n(1 − h(Q + μ)) in eq. 1. One
 * bound over the pooled samples would hold only for as many sampled bits of a basis as the key has of the other.
 */
export function secretKeyLengthOfParts(
  parts: readonly KeyPart[],
  { bound, ...rest }: { leak: number; epsSec: number; epsCor: number; bound: SamplingBound },
): number {
  const secret = (part: KeyPart): number => part.n * (1 - binaryEntropy(partErrorBound(part, parts.length, rest.epsSec, bound)));
  return secretBitsLeft(
    parts.reduce((sum, part) => sum + secret(part), 0),
    rest,
  );
}

/** ⌊x⌋ for a count computed as a product, so that 10000 · 0.29 is 2900 and not 2899. */
const floorCount = (x: number): number => Math.floor(x + x * 4 * Number.EPSILON);

function sizes(input: SampleSizes): Required<SampleSizes> {
  const { n, k, epsSec = EPSILON_SECRECY } = object('input', input);
  return { n: integer('n', n, 0), k: integer('k', k, 0), epsSec: between('epsSec', epsSec, 0, 1) };
}
