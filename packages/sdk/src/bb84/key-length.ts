import type { Intensity } from './channel/types.ts';
import type { DecoyCounts, SampleCounts } from './counts.ts';
import { type DecoyInput, type DecoyKeyLength, decoyKeyLength, type PerIntensity, requireSetting } from './decoy.ts';
import { type KeyPart, partErrorBound, type SamplingBound, secretKeyLengthOfParts } from './finite-key.ts';
import type { Epsilon } from './options.ts';
import type { DecoyReport } from './types.ts';

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

const NONE: PerIntensity = [0, 0, 0];

/** What the announced intensities allow to conclude. Throws INVALID_ARGUMENT when three intensities are no decoy setting. */
export function sourceModel(intensities: readonly Intensity[] = []): SourceModel {
  if (intensities.length === 0) return 'single-photon';
  const [signal, decoy, vacuum, ...more] = intensities;
  if (!signal || !decoy || !vacuum || more.length > 0) return 'unbounded';
  const model = {
    intensities: [signal.mean, decoy.mean, vacuum.mean],
    probabilities: [signal.probability, decoy.probability, vacuum.probability],
  } as const;
  requireSetting(model);
  return model;
}

/**
 * The key of a decoy run by Lim et al. (2014), whose key basis X is Z here and whose test basis Z is X here. Only X says anything of
 * the phase errors of Z: an eavesdropper who measures in Z makes no errors there.
 */
export function decoyLength(decoy: DecoyCounts, { epsilon, source }: KeyLengthTerms, leak: number): DecoyKeyLength | undefined {
  if (typeof source !== 'object') return undefined;
  return decoyKeyLength({
    ...source,
    nX: decoy.key,
    mX: NONE,
    nZ: decoy.sampledX,
    mZ: decoy.errorsX,
    leak,
    epsSec: epsilon.secrecy,
    epsCor: epsilon.correctness,
  });
}

/** What a report says of a decoy run; nothing of any other. */
export function decoyReport(decoy: DecoyCounts | undefined, terms: KeyLengthTerms): { decoy?: DecoyReport } {
  const length = decoy && decoyLength(decoy, terms, 0);
  if (!length) return {};
  const { s0, s1, sZ1, vZ1, phaseError } = length;
  return { decoy: { ...decoy, emptyKey: s0, singleKey: s1, singleX: sZ1, singleErrorsX: vZ1, phaseError } };
}

/** The parts of a single-photon key, by the basis that carries them. The phase errors of each are what the other basis's sample shows. */
function partsOf(counts: SampleCounts, { zOnly }: KeyLengthTerms): KeyPart[] {
  const inZ = { n: counts.keyZ, k: counts.sampledX, errors: counts.errorsX };
  return zOnly ? [inZ] : [inZ, { n: counts.keyX, k: counts.sampledZ, errors: counts.errorsZ }];
}

/**
 * Secret bits in the reconciled key.
 *
 * @param leak bits given away, verification tag excluded as far as log2(2/ε_cor) covers it.
 * @param decoy what Alice counted by intensity, in a decoy run.
 */
export function secretBits(counts: SampleCounts, terms: KeyLengthTerms, leak: number, decoy?: DecoyCounts): number {
  const { epsilon, bound, source } = terms;
  if (source !== 'single-photon') return (decoy && decoyLength(decoy, terms, leak)?.length) ?? 0;
  return secretKeyLengthOfParts(partsOf(counts, terms), {
    leak,
    epsSec: epsilon.secrecy,
    epsCor: epsilon.correctness,
    bound,
  });
}

/** Upper confidence bound of the phase error rate of the key, at most 0.5: of the basis where it is largest. */
export function phaseErrorBound(counts: SampleCounts, terms: KeyLengthTerms, decoy?: DecoyCounts): number {
  const { epsilon, bound, source } = terms;
  if (source !== 'single-photon') return (decoy && decoyLength(decoy, terms, 0)?.phaseError) ?? 0.5;
  const parts = partsOf(counts, terms);
  return Math.max(...parts.map((part) => partErrorBound(part, parts.length, epsilon.secrecy, bound)));
}
