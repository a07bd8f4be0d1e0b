import { describe, expect, it } from 'vitest';
import { keyLengthTerms, tagExcess, tooShort, verified } from './post-processing.ts';

const epsilon = { secrecy: 1e-9, correctness: 1e-15 };
const [signal, decoy, vacuum] = [0.5, 0.1, 0].map((mean, k) => ({ mean, probability: [0.5, 0.25, 0.25][k] as number }));

describe('the terms of a key length', () => {
  const terms = (zProbability: number, intensities: { mean: number; probability: number }[] = []) =>
    keyLengthTerms({ epsilon, bound: 'tight', zProbability, intensities });

  it('let both bases carry key only where single photons are sent in both alike', () => {
    expect(terms(0.5)).toEqual({ epsilon, bound: 'tight', zOnly: false, source: 'single-photon' });
    expect(terms(0.7)).toMatchObject({ zOnly: true, source: 'single-photon' });
    expect(terms(0.5, [signal, decoy, vacuum] as never)).toMatchObject({ zOnly: true });
  });

  it('take three intensities for decoys, and any other number for what bounds no pulse of several photons', () => {
    expect(terms(0.5, [signal, decoy, vacuum] as never).source).toEqual({
      intensities: [0.5, 0.1, 0],
      probabilities: [0.5, 0.25, 0.25],
    });
    for (const others of [[signal], [signal, decoy], [signal, decoy, vacuum, { mean: 0, probability: 0 }]])
      expect(terms(0.5, others as never).source).toBe('unbounded');
  });
});

describe('a verification tag', () => {
  it('is over the key, then the seed', () => {
    expect(verified(Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5))).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });

  it('gives away what it is longer than log2(2/ε), in whole bits', () => {
    // log2(2e15) is 50.83, log2(2e20) is 67.44, log2(2 · 2⁶³) is 64.
    expect(tagExcess(8, 1e-15)).toBe(14);
    expect(tagExcess(16, 1e-20)).toBe(61);
    expect(tagExcess(8, 2 ** -63)).toBe(0);
    expect(tagExcess(8, 2 ** -62)).toBe(1);
  });

  it('gives away nothing more where it is shorter', () => {
    expect(tagExcess(8, 1e-20)).toBe(0);
  });
});

describe('a key that is too short', () => {
  it('tells what is left and what was needed, one bit at least', () => {
    expect(tooShort(100, 256)).toMatchObject({
      code: 'KEY_TOO_SHORT',
      message: '100 secret bits are left, 256 are needed',
      details: { secretBits: 100, wanted: 256 },
    });
    expect(tooShort(0)).toMatchObject({ details: { secretBits: 0, wanted: 1 } });
  });
});
