import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { popcount, xor } from './bits.ts';
import { drawClasses, measure, simulatedChannel, weakCoherent } from './channel/index.ts';
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
