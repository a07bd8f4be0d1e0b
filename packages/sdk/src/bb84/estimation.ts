import { QsecError } from '../errors.ts';
import { type DecoyCounts, errorsOf, type SampleCounts, sampledOf } from './counts.ts';
import { type KeyLengthTerms, phaseErrorBound } from './key-length.ts';
import type { QberEstimate } from './types.ts';

const rate = (errors: number, sampled: number): number => (sampled === 0 ? Number.NaN : errors / sampled);

/** Error rates, with the upper confidence bound of what the key's length is made from. */
export function estimate(counts: SampleCounts, terms: KeyLengthTerms, decoy?: DecoyCounts): QberEstimate {
  return {
    z: rate(counts.errorsZ, counts.sampledZ),
    x: rate(counts.errorsX, counts.sampledX),
    combined: rate(errorsOf(counts), sampledOf(counts)),
    upperBound: phaseErrorBound(counts, terms, decoy),
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
