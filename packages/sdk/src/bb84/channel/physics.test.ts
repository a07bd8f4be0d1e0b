import { describe, expect, it } from 'vitest';
import { getBit, popcount32 } from '../bits.ts';
import { decoyKeyLength, type PerIntensity } from '../decoy.ts';
import { binaryEntropy, secretKeyLength } from '../finite-key.ts';
import type { Detections, PreparedPulses, SimulatedChannelOptions } from './index.ts';
import { interceptResend, measure, photonNumberSplitting, simulatedChannel, weakCoherent } from './index.ts';
import { Xoshiro128 } from './physics-random.ts';

/** Seeded stand-ins for Alice's and Bob's choices, so that these tests always see the same run. */
const plane = (count: number, seed: number): Uint8Array => {
  const random = new Xoshiro128(seed);
  return Uint8Array.from(
    { length: Math.ceil(count / 8) },
    (_, i) => (random.next() >>> 24) & (i === count >>> 3 ? 0xff00 >>> (count & 7) : 0xff),
  );
};

interface Run {
  pulses: PreparedPulses;
  bases: Uint8Array;
  seen: Detections;
}

function run(count: number, options: SimulatedChannelOptions, classProbabilities?: readonly number[]): Run {
  const pulses = {
    count,
    bits: plane(count, 101),
    bases: plane(count, 102),
    ...(classProbabilities && { classes: classesOf(count, classProbabilities) }),
  };
  const bases = plane(count, 103);
  return { pulses, bases, seen: measure(simulatedChannel({ seed: 104, ...options }).transmit(pulses), bases, { seed: 105 }) };
}

function classesOf(count: number, probabilities: readonly number[]): Uint8Array {
  const random = new Xoshiro128(106);
  return Uint8Array.from({ length: count }, () => {
    let k = 0;
    for (let rest = random.next() / 2 ** 32; k < probabilities.length - 1 && rest >= (probabilities[k] as number); k++)
      rest -= probabilities[k] as number;
    return k;
  });
}

interface Tally {
  sifted: number;
  errors: number;
}

/** Detections in matching bases and the errors among them, for one of Alice's bases and intensity classes. */
function tally({ pulses, bases, seen }: Run, basis: 'z' | 'x', intensity?: number): Tally {
  const invert = basis === 'z' ? 0xff : 0;
  let sifted = 0;
  let errors = 0;
  for (let b = 0; b < bases.length; b++) {
    const chosen = (bases[b] as number) ^ invert;
    let matching = (seen.detected[b] as number) & chosen & ((pulses.bases[b] as number) ^ invert);
    for (let i = b * 8, bit = 0x80; intensity !== undefined && bit !== 0; i++, bit >>>= 1) {
      if (pulses.classes?.[i] !== intensity) matching &= ~bit;
    }
    sifted += popcount32(matching);
    errors += popcount32(matching & ((seen.bits[b] as number) ^ (pulses.bits[b] as number)));
  }
  return { sifted, errors };
}

/** Asserts that `hits` of `trials` agrees with the probability within five standard deviations. */
function expectRate(hits: number, trials: number, probability: number): void {
  const sigma = Math.sqrt(trials * probability * (1 - probability));
  expect(Math.abs(hits - trials * probability), `${hits} of ${trials} at ${probability}`).toBeLessThanOrEqual(5 * sigma);
}

const N = 1 << 20;

describe('a quiet single-photon channel', () => {
  it('gives the bit in the same basis and a coin in the other', () => {
    const quiet = run(N, {});
    expect(quiet.seen.clicks).toBe(N);
    expect(tally(quiet, 'z').errors + tally(quiet, 'x').errors).toBe(0);
    let other = 0;
    let wrong = 0;
    for (let i = 0; i < N; i++) {
      if (getBit(quiet.bases, i) === getBit(quiet.pulses.bases, i)) continue;
      other++;
      wrong += getBit(quiet.seen.bits, i) ^ getBit(quiet.pulses.bits, i);
    }
    expectRate(wrong, other, 0.5);
  });

  it.each([0.015, 0.08, 0.3])('shows its flip probability %d as the error rate in both bases', (flip) => {
    const noisy = run(N, { flip });
    for (const basis of ['z', 'x'] as const) expectRate(tally(noisy, basis).errors, tally(noisy, basis).sifted, flip);
  });

  it('is the same again with the same seed, and another with another', () => {
    const options = { flip: 0.1, loss: 0.5, efficiency: 0.5, darkCount: 0.01, eavesdropper: interceptResend(0.5) };
    const again = run(5000, { ...options, seed: 7 }).seen;
    expect(run(5000, { ...options, seed: 7 }).seen).toEqual(again);
    expect(run(5000, { ...options, seed: 8 }).seen).not.toEqual(again);
  });

  it('leaves what Alice prepared as it was', () => {
    const pulses = { count: 1000, bits: plane(1000, 1), bases: plane(1000, 2) };
    const before = structuredClone(pulses);
    simulatedChannel({ flip: 0.5, loss: 0.5, eavesdropper: interceptResend(1) }).transmit(pulses);
    expect(pulses).toEqual(before);
  });
});

describe('intercept-resend', () => {
  it.each([0.02, 0.2, 0.44, 1])('on a fraction %d with random bases gives a quarter of it in errors', (fraction) => {
    const attacked = run(N, { eavesdropper: interceptResend(fraction) });
    for (const basis of ['z', 'x'] as const)
      expectRate(tally(attacked, basis).errors, tally(attacked, basis).sifted, fraction / 4);
  });

  it.each([0.3, 1])('on a fraction %d always in Z gives no error in Z and half of it in X', (fraction) => {
    const attacked = run(N, { eavesdropper: interceptResend(fraction, { basis: 'z' }) });
    expect(tally(attacked, 'z').errors).toBe(0);
    expectRate(tally(attacked, 'x').errors, tally(attacked, 'x').sifted, fraction / 2);
  });

  it('always in X gives half in Z and nothing in X', () => {
    const attacked = run(N, { eavesdropper: interceptResend(1, { basis: 'x' }) });
    expect(tally(attacked, 'x').errors).toBe(0);
    expectRate(tally(attacked, 'z').errors, tally(attacked, 'z').sifted, 0.5);
  });

  it.each([0.4, 1])('on a fraction %d in the Breidbart basis gives a quarter of it in both bases', (fraction) => {
    const attacked = run(N, { eavesdropper: interceptResend(fraction, { basis: 'breidbart' }) });
    for (const basis of ['z', 'x'] as const)
      expectRate(tally(attacked, basis).errors, tally(attacked, basis).sifted, fraction / 4);
  });

  it('by a second eavesdropper in the Breidbart basis adds nothing to the first', () => {
    const breidbart = interceptResend(1, { basis: 'breidbart' });
    const attacked = run(N, { eavesdropper: [breidbart, breidbart] });
    expectRate(tally(attacked, 'z').errors, tally(attacked, 'z').sifted, 0.25);
  });

  it('in Z after Breidbart, and Breidbart after Z, gives the chained error', () => {
    const [z, breidbart] = [interceptResend(1, { basis: 'z' }), interceptResend(1, { basis: 'breidbart' })];
    // Z states meet sin²(π/8) twice, into the Breidbart basis and out of it; X states are lost in Z.
    for (const eavesdropper of [
      [z, breidbart],
      [breidbart, z],
    ]) {
      const attacked = run(N, { eavesdropper });
      expectRate(tally(attacked, 'z').errors, tally(attacked, 'z').sifted, 0.25);
      expectRate(tally(attacked, 'x').errors, tally(attacked, 'x').sifted, 0.5);
    }
  });

  it('adds up with noise: e₁(1 − e₂) + e₂(1 − e₁)', () => {
    const attacked = run(N, { flip: 0.05, eavesdropper: interceptResend(0.4) });
    expectRate(tally(attacked, 'z').errors, tally(attacked, 'z').sifted, 0.05 * 0.9 + 0.1 * 0.95);
  });

  it('by several eavesdroppers composes', () => {
    const half = interceptResend(0.5);
    const attacked = run(N, { eavesdropper: [half, half] });
    // A pulse keeps its polarisation contrast 1 − 2e through each eavesdropper by 1 − p/2.
    expectRate(tally(attacked, 'x').errors, tally(attacked, 'x').sifted, (1 - 0.75 ** 2) / 2);
  });

  it('of everything escapes a sample of k bits with (3/4)^k', () => {
    const attacked = run(N, { eavesdropper: interceptResend(1) });
    const k = 8;
    let samples = 0;
    let clean = 0;
    let [length, errors] = [0, 0];
    for (let i = 0; i < N; i++) {
      if (getBit(attacked.bases, i) !== getBit(attacked.pulses.bases, i)) continue;
      errors += getBit(attacked.seen.bits, i) ^ getBit(attacked.pulses.bits, i);
      if (++length < k) continue;
      samples++;
      if (errors === 0) clean++;
      length = errors = 0;
    }
    expectRate(clean, samples, 0.75 ** k);
  });
});

/**
 * Gain and error of threshold detectors: with s the probability that light alone makes a click and d the dark-count probability of
 * each of two detectors, Q = 1 − (1 − s)(1 − d)², and the error is a coin without light, and with light either misalignment
 * (where the other detector is dark) or a coin (where it is not).
 */
function analytic(s: number, d: number, flip: number): { gain: number; error: number } {
  const dark = 1 - (1 - d) ** 2;
  const gain = 1 - (1 - s) * (1 - dark);
  return { gain, error: ((1 - s) * (dark / 2) + s * (flip * (1 - d) + d / 2)) / gain };
}

function expectAnalytic(observed: Run, signal: number, dark: number, flip: number, intensity?: number): void {
  const { gain, error } = analytic(signal, dark, flip);
  const sent =
    intensity === undefined
      ? observed.pulses.count
      : (observed.pulses.classes as Uint8Array).filter((k) => k === intensity).length;
  const detected = intensity === undefined ? observed.seen.clicks : countDetected(observed, intensity);
  expectRate(detected, sent, gain);
  for (const basis of ['z', 'x'] as const) {
    const { sifted, errors } = tally(observed, basis, intensity);
    expectRate(errors, sifted, error);
  }
}

const countDetected = ({ pulses, seen }: Run, intensity: number): number =>
  (pulses.classes as Uint8Array).reduce((count, k, i) => count + (k === intensity ? getBit(seen.detected, i) : 0), 0);

describe('loss, efficiency and dark counts', () => {
  it.each([
    { loss: 0.3, efficiency: 1, darkCount: 0, flip: 0.02 },
    { loss: 0.97, efficiency: 0.5, darkCount: 0, flip: 0.02 },
    { loss: 0.9, efficiency: 0.2, darkCount: 0.01, flip: 0.03 },
    { loss: 1, efficiency: 0.2, darkCount: 0.02, flip: 0.03 },
    { loss: 0, efficiency: 0.6, darkCount: 0.3, flip: 0.1 },
  ])('give the analytic gain and error of single photons at $loss, $efficiency, $darkCount', ({ loss, ...rest }) => {
    expectAnalytic(run(N, { loss, ...rest }), (1 - loss) * rest.efficiency, rest.darkCount, rest.flip);
  });

  it.each([
    { km: 0, efficiency: 1, darkCount: 0.001, flip: 0.02 },
    { km: 25, efficiency: 0.5, darkCount: 0.001, flip: 0.02 },
    { km: 100, efficiency: 0.9, darkCount: 0.0005, flip: 0.05 },
  ])('give the analytic gain and error of every decoy intensity at $km km', ({ km, ...rest }) => {
    const intensities = [0.6, 0.2, 0.001];
    const probabilities = [0.5, 0.3, 0.2];
    const observed = run(N, { fibre: { km }, source: weakCoherent({ intensities, probabilities }), ...rest }, probabilities);
    for (const [k, mean] of intensities.entries()) {
      const signal = 1 - Math.exp(-mean * 10 ** (-km * 0.02) * rest.efficiency);
      expectAnalytic(observed, signal, rest.darkCount, rest.flip, k);
    }
  });

  it('makes both detectors click as often as they should, and reads a coin then', () => {
    const bright = run(N, { darkCount: 0.2 });
    // Light clicks one detector always, the dark one joins with 0.2.
    expectRate(bright.seen.doubleClicks, N, 0.2);
    expectRate(tally(bright, 'z').errors, tally(bright, 'z').sifted, 0.1);
  });

  it('makes several photons in the other basis reach both detectors', () => {
    const source = weakCoherent({ intensities: [2], probabilities: [1] });
    const observed = run(N, { source }, [1]);
    // In the other basis each detector sees Poisson light of mean 1; in the same basis one of them sees nothing.
    expectRate(observed.seen.doubleClicks, N, (1 - Math.exp(-1)) ** 2 / 2);
  });

  it('makes several photons of a Breidbart state reach both detectors', () => {
    const source = weakCoherent({ intensities: [2], probabilities: [1] });
    const observed = run(N, { source, eavesdropper: interceptResend(1, { basis: 'breidbart' }) }, [1]);
    const share = Math.cos(Math.PI / 8) ** 2;
    expectRate(observed.seen.doubleClicks, N, (1 - Math.exp(-2 * share)) * (1 - Math.exp(-2 * (1 - share))));
  });

  it('reads 0 where nothing was detected', () => {
    const { seen } = run(N, { loss: 0.5, darkCount: 0.01 });
    expect(seen.bits.every((byte, i) => (byte & ~(seen.detected[i] as number)) === 0)).toBe(true);
  });
});

describe('photon-number splitting', () => {
  const probabilities = [0.4, 0.35, 0.25];
  const intensities: PerIntensity = [0.5, 0.1, 0.0002];
  const link = { source: weakCoherent({ intensities, probabilities }), loss: 0.85, flip: 0.01, darkCount: 1e-6 };
  const count = 1 << 22;
  interface Counts {
    n: PerIntensity;
    m: PerIntensity;
  }
  const counts = (observed: Run, basis: 'z' | 'x'): Counts => {
    const [a, b, c] = [0, 1, 2].map((k) => tally(observed, basis, k)) as [Tally, Tally, Tally];
    return { n: [a.sifted, b.sifted, c.sifted], m: [a.errors, b.errors, c.errors] };
  };
  const both = (observed: Run) => ({ key: counts(observed, 'x'), test: counts(observed, 'z'), clicks: observed.seen.clicks });
  const honest = both(run(count, link, probabilities));
  const attacked = both(run(count, { ...link, eavesdropper: photonNumberSplitting() }, probabilities));
  const total = ([a, b, c]: PerIntensity): number => a + b + c;

  const withDecoys = ({ key, test }: ReturnType<typeof both>): number => {
    const leak = 1.16 * total(key.n) * binaryEntropy(total(key.m) / total(key.n));
    return decoyKeyLength({ intensities, probabilities: [0.4, 0.35, 0.25], nX: key.n, mX: key.m, nZ: test.n, mZ: test.m, leak })
      .length;
  };

  const withoutDecoys = ({ key, test }: ReturnType<typeof both>): number => {
    const qber = total(test.m) / total(test.n);
    return secretKeyLength({ n: total(key.n), k: total(test.n), qber, leak: 1.16 * total(key.n) * binaryEntropy(qber) });
  };

  it('leaves the error rate as it was in both bases', () => {
    for (const { n, m } of [attacked.key, attacked.test]) expectRate(total(m), total(n), 0.01);
  });

  it('leaves the number of detections as it was', () => {
    const rate = honest.clicks / count;
    const sigma = Math.sqrt(2 * count * rate * (1 - rate));
    expect(Math.abs(attacked.clicks - honest.clicks)).toBeLessThan(5 * sigma);
  });

  it('is caught by the decoy bound, which leaves no key', () => {
    expect(withDecoys(honest)).toBeGreaterThan(1000);
    expect(withDecoys(attacked)).toBe(0);
  });

  it('is not caught without decoy analysis, which would hand out a key', () => {
    expect(withoutDecoys(honest)).toBeGreaterThan(10_000);
    expect(withoutDecoys(attacked)).toBeGreaterThan(10_000);
  });

  it('does nothing to single photons', () => {
    const single = run(N, { loss: 0.7, flip: 0.02, eavesdropper: photonNumberSplitting() });
    expectAnalytic(single, 0.3, 0, 0.02);
  });
});
