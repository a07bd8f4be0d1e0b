import { describe, expect, it } from 'vitest';
import { pack } from './bits.ts';
import { countByIntensity, countOutcome, type DecoyCounts, requireSums } from './counts.ts';
import { decodeDisclosure, encodeDisclosure } from './flights.ts';
import { partition } from './sifting.ts';

// Ten pulses, of which the eight marked are detected; bases, matches and sample are over those eight.
const detected = pack([1, 1, 0, 1, 1, 1, 0, 1, 1, 1]);
const classes = Uint8Array.of(0, 0, 2, 1, 0, 2, 0, 1, 0, 2);
const bases = pack([0, 0, 1, 0, 1, 0, 1, 1]);
const match = pack([1, 1, 1, 1, 1, 0, 1, 1]);
const sample = pack([0, 1, 1, 0, 1, 1, 1, 1]);
const parts = partition(match, sample);
// The compared ones are 1 (Z, signal), 2 (X, decoy), 4 (X, vacuum), 6 (X, signal), 7 (X, vacuum); errors at 1, 4 and 7.
const alice = pack([1, 0, 1, 1, 0]);
const bob = pack([0, 0, 0, 1, 1]);

const COUNTED: DecoyCounts = {
  key: [2, 0, 0],
  sampledZ: [1, 0, 0],
  errorsZ: [1, 0, 0],
  sampledX: [1, 1, 2],
  errorsX: [0, 0, 2],
};

describe('the counts of a comparison', () => {
  const counts = countOutcome(parts, alice, bob, bases);

  it('are kept apart by basis', () => {
    expect(counts).toEqual({ sampledZ: 1, sampledX: 4, errorsZ: 1, errorsX: 2, keyZ: 2, keyX: 0 });
  });

  it('are kept apart by basis and intensity in a decoy run, and add up to the others', () => {
    const decoy = countByIntensity(classes, detected, bases, parts, alice, bob);
    expect(decoy).toEqual(COUNTED);
    expect(() => requireSums(decoy, counts)).not.toThrow();
  });

  it.each<[string, Partial<DecoyCounts>]>([
    ['errors of X told as errors of Z', { errorsZ: [1, 0, 1], errorsX: [0, 0, 1] }],
    ['detections of Z told as detections of X', { sampledZ: [0, 0, 0], sampledX: [2, 1, 2] }],
    ['fewer errors in X', { errorsX: [0, 0, 1] }],
    ['more detections in X', { sampledX: [1, 2, 2] }],
    ['more key', { key: [3, 0, 0] }],
  ])('are refused when they do not add up in each basis: %s', (_, change) => {
    expect(() => requireSums({ ...COUNTED, ...change }, counts)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('do not add up') }),
    );
  });

  it('are refused when there is key in X, which no decoy run has', () => {
    expect(() => requireSums(COUNTED, { ...counts, keyX: 1 })).toThrow('do not add up');
  });

  it('cross the wire in both bases', () => {
    const message = encodeDisclosure({ match, testBits: alice, decoy: COUNTED, verdict: { failure: 'KEY_TOO_SHORT' } });
    expect(decodeDisclosure(message, 8, sample, true).decoy).toEqual(COUNTED);
    expect(() => decodeDisclosure(message, 8, sample, false)).toThrow('bytes are left over');
  });
});
