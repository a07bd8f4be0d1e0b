import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { popcount, xor } from './bits.ts';
import { drawClasses, measure, simulatedChannel, weakCoherent } from './channel/index.ts';
import { decoyLengthOfAverages, type PerIntensity } from './decoy.ts';
import { binaryEntropy } from './finite-key.ts';
import {
  asymptoticKeyFraction,
  decoyRate,
  expectedDecoyKeyLength,
  expectedKeyLength,
  expectedTaggedKeyLength,
  multiPhotonProbability,
  singlePhotonRate,
  taggedRate,
} from './key-rate.ts';
import { coherentResponse, type Link, singlePhotonResponse } from './link.ts';
import { randomBits } from './random.ts';

/** The link of Gobby, Yuan and Shields (2004), on which decoy-state papers compare themselves. */
const gys = (km: number): Link => ({ km, dBPerKm: 0.21, efficiency: 0.045, darkCount: 0.85e-6, flip: 0.033 });

/** The best value over mean photon numbers. */
const best = (rate: (mean: number) => number): number => {
  let most = 0;
  for (let decade = -6; decade <= 0; decade += 0.02) most = Math.max(most, rate(10 ** decade));
  return most;
};

/** The longest fibre that still gives a key. */
const cutOff = (rate: (km: number) => number): number => {
  let [low, high] = [0, 500];
  while (high - low > 0.01) {
    const km = (low + high) / 2;
    if (rate(km) > 0) low = km;
    else high = km;
  }
  return low;
};

const DECOYS = { keyBasis: 0.9, intensities: [0.5, 0.1, 0.0002], probabilities: [0.6, 0.25, 0.15] } as const;

describe('the asymptotic rate', () => {
  it('ends where 1 − h(Q) = f·h(Q)', () => {
    expect(asymptoticKeyFraction(0.11, 1)).toBeGreaterThan(0);
    expect(asymptoticKeyFraction(0.1101, 1)).toBe(0);
    expect(asymptoticKeyFraction(0)).toBe(1);
  });

  it('with decoy states reaches the published 142 km on the link of Gobby, Yuan and Shields', () => {
    // Ma, Qi, Zhao, Lo, Phys. Rev. A 72, 012326 (2005), §IV: infinitely many decoys, μ = 0.48, f = 1.22.
    expect(Math.abs(cutOff((km) => decoyRate(gys(km), 0.48, 1.22)) - 142.05)).toBeLessThan(0.3);
  });

  it('without decoy states ends a hundred kilometres earlier and falls with the square of the transmittance', () => {
    expect(cutOff((km) => best((mean) => taggedRate(gys(km), mean, 1.22)))).toBeLessThan(45);
    const quiet = (km: number): Link => ({ km, dBPerKm: 0.2, flip: 0.01 });
    const [near, far] = [best((mean) => taggedRate(quiet(50), mean)), best((mean) => taggedRate(quiet(100), mean))];
    expect(near / far).toBeGreaterThan(80);
    const [nearDecoy, farDecoy] = [best((mean) => decoyRate(quiet(50), mean)), best((mean) => decoyRate(quiet(100), mean))];
    expect(nearDecoy / farDecoy).toBeLessThan(12);
  });

  it('is ordered: no decoys, decoys, single photons', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 200, noNaN: true }), fc.double({ min: 0.01, max: 1, noNaN: true }), (km, mean) => {
        expect(taggedRate(gys(km), mean)).toBeLessThanOrEqual(decoyRate(gys(km), mean) + 1e-15);
        expect(decoyRate(gys(km), mean)).toBeLessThanOrEqual(singlePhotonRate(gys(km)) + 1e-15);
      }),
    );
  });
});

describe('the rate of a finite run', () => {
  it('rises to the asymptotic one with the number of pulses', () => {
    const link = gys(20);
    let last = 0;
    for (const pulses of [1e9, 1e10, 1e11, 1e12, 1e14]) {
      const rate = expectedDecoyKeyLength(link, { pulses, ...DECOYS }).length / pulses;
      expect(rate).toBeGreaterThanOrEqual(last);
      expect(rate).toBeLessThan(best((mean) => decoyRate(link, mean)));
      last = rate;
    }
    expect(last).toBeGreaterThan(0.25 * best((mean) => decoyRate(link, mean)));
  });

  it('without decoys stays below the asymptotic one and comes near it', () => {
    const asymptotic = best((mean) => taggedRate(gys(10), mean));
    const finite = (pulses: number): number =>
      best((mean) => expectedTaggedKeyLength(gys(10), { pulses, keyBasis: 0.99, mean }) / pulses);
    expect(finite(1e11)).toBeLessThan(finite(1e14));
    expect(finite(1e14)).toBeLessThan(asymptotic);
    expect(finite(1e14)).toBeGreaterThan(0.85 * asymptotic);
  });

  it('of single photons is that of its expected counts', () => {
    expect(expectedKeyLength({ km: 0, flip: 0.02 }, { pulses: 0, keyBasis: 0.5 })).toBe(0);
    const length = expectedKeyLength({ km: 0, flip: 0.02 }, { pulses: 1e13, keyBasis: 0.9 });
    expect(length / (1e13 * 0.81)).toBeCloseTo(asymptoticKeyFraction(0.02), 2);
  });

  it('is 0 in the dark', () => {
    const dark: Link = { km: 1000 };
    expect(expectedDecoyKeyLength(dark, { pulses: 1e10, ...DECOYS }).length).toBe(0);
    expect(expectedTaggedKeyLength(dark, { pulses: 1e10, keyBasis: 0.9, mean: 0.1 })).toBe(0);
    expect(singlePhotonRate({ km: 1e5 })).toBe(0);
  });
});

describe('the rates of a link with every fault', () => {
  // Computed from the papers' equations apart from this code, with 40 digits.
  const link: Link = { km: 20, dBPerKm: 0.25, efficiency: 0.3, darkCount: 1e-4, flip: 0.02 };
  const run = { pulses: 1e8, keyBasis: 0.8, sampleFraction: 0.25, efficiency: 1.2, epsSec: 1e-10, epsCor: 1e-12 };

  it('have known values in the endless case', () => {
    expect(singlePhotonRate(link, 1.2)).toBeCloseTo(0.06435040762992, 13);
    expect(decoyRate(link, 0.3, 1.2)).toBeCloseTo(0.01260318500856, 13);
    expect(taggedRate(link, 0.02, 1.2)).toBeCloseTo(0.00030514791171, 13);
    // More pulses of several photons than detections.
    expect(taggedRate(link, 0.3, 1.2)).toBe(0);
  });

  it('have known values in the finite case', () => {
    expect(expectedKeyLength(link, run)).toBe(2_887_637);
    expect(expectedTaggedKeyLength(link, { ...run, pulses: 1e10, mean: 0.02 })).toBe(875_210);
  });

  it('take 1.16 for the efficiency of reconciliation, 1e-9 and 1e-15 for ε, and no sample of the key basis, unless told', () => {
    expect(singlePhotonRate(link)).toBe(singlePhotonRate(link, 1.16));
    expect(decoyRate(link, 0.3)).toBe(decoyRate(link, 0.3, 1.16));
    expect(taggedRate(link, 0.02)).toBe(taggedRate(link, 0.02, 1.16));
    const bare = { pulses: 1e9, keyBasis: 0.9 };
    const full = { ...bare, sampleFraction: 0, efficiency: 1.16, epsSec: 1e-9, epsCor: 1e-15 };
    expect(expectedKeyLength(link, bare)).toBe(expectedKeyLength(link, { ...full, bound: 'serfling' }));
    expect(expectedKeyLength(link, { ...bare, bound: 'tight' })).toBeGreaterThan(expectedKeyLength(link, bare));
    expect(expectedTaggedKeyLength(link, { ...bare, mean: 0.01 })).toBe(expectedTaggedKeyLength(link, { ...full, mean: 0.01 }));
    expect(expectedDecoyKeyLength(link, { ...DECOYS, ...bare })).toEqual(expectedDecoyKeyLength(link, { ...DECOYS, ...full }));
  });

  it('of decoys are those of the counts that the link gives', () => {
    const { length, ...bounds } = expectedDecoyKeyLength(link, { ...DECOYS, ...run, pulses: 1e10 });
    const counts = (share: number, value: (response: { gain: number; error: number }) => number): PerIntensity =>
      DECOYS.intensities.map(
        (mean, k) => 1e10 * share * (DECOYS.probabilities[k] as number) * value(coherentResponse(link, mean)),
      ) as never;
    const [key, test] = [0.8 ** 2 * 0.75, 0.2 ** 2];
    const [nX, mX] = [counts(key, ({ gain }) => gain), counts(key, ({ gain, error }) => gain * error)];
    const [nZ, mZ] = [counts(test, ({ gain }) => gain), counts(test, ({ gain, error }) => gain * error)];
    const n = nX[0] + nX[1] + nX[2];
    const leak = 1.2 * n * binaryEntropy((mX[0] + mX[1] + mX[2]) / n);
    const { intensities, probabilities } = DECOYS;
    const expected = decoyLengthOfAverages({ intensities, probabilities, nX, mX, nZ, mZ, leak, epsSec: 1e-10, epsCor: 1e-12 });
    expect(Math.abs(length - expected.length)).toBeLessThanOrEqual(1);
    for (const name of ['s0', 's1', 'sZ1', 'vZ1', 'phaseError'] as const) expect(bounds[name] / expected[name]).toBeCloseTo(1, 9);
  });
});

describe('the response of a link', () => {
  const link = { km: 10, dBPerKm: 0.5, efficiency: 0.4, darkCount: 0.01, flip: 0.03 };
  const simulated = (mean?: number): { gain: number; error: number; detected: number } => {
    const count = 1 << 19;
    const source = mean === undefined ? {} : { source: weakCoherent({ intensities: [mean], probabilities: [1] }) };
    const channel = simulatedChannel({ ...link, fibre: link, ...source });
    const pulses = { count, bits: randomBits(count), bases: randomBits(count) };
    const sent = channel.intensities ? { ...pulses, classes: drawClasses(channel.intensities, count) } : pulses;
    // Bob happens to choose Alice's bases, so that every detection counts.
    const seen = measure(channel.transmit(sent), pulses.bases);
    const wrong = popcount(xor(seen.bits, pulses.bits).map((byte, i) => byte & (seen.detected[i] as number)));
    return { gain: seen.clicks / count, error: wrong / seen.clicks, detected: seen.clicks };
  };

  it.each([undefined, 0.1, 0.5, 2])('is what the simulation shows (mean %s)', (mean) => {
    const { gain, error } = mean === undefined ? singlePhotonResponse(link) : coherentResponse(link, mean);
    const seen = simulated(mean);
    // 6σ: this run is drawn afresh every time.
    expect(Math.abs(seen.gain - gain)).toBeLessThan(6 * Math.sqrt((gain * (1 - gain)) / (1 << 19)));
    expect(Math.abs(seen.error - error)).toBeLessThan(6 * Math.sqrt((error * (1 - error)) / seen.detected));
  });

  it('counts multi-photon pulses without cancellation', () => {
    expect(multiPhotonProbability(1e-6) / 0.5e-12).toBeCloseTo(1, 5);
    expect(multiPhotonProbability(0.999999e-3) / multiPhotonProbability(1.000001e-3)).toBeCloseTo(1, 5);
    expect(multiPhotonProbability(0.5)).toBeCloseTo(0.0902040104, 9);
  });
});
