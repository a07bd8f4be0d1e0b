import { describe, expect, it } from 'vitest';
import { decoyLengthOfAverages, type PerIntensity } from './decoy.ts';
import {
  agree,
  binaryEntropy,
  coherentResponse,
  expectedDecoyKeyLength,
  type Link,
  photonNumberSplitting,
  QsecError,
  type Report,
  type SimulatedChannelOptions,
  simulatedChannel,
  simulatedReceiver,
  weakCoherent,
} from './index.ts';

const SETTING = { intensities: [0.5, 0.1, 0.0002], probabilities: [0.3, 0.4, 0.3] } as const;
const source = weakCoherent(SETTING);

const sum = (counts: PerIntensity): number => counts[0] + counts[1] + counts[2];

const run = (options: SimulatedChannelOptions) =>
  agree({
    pulses: 1 << 23,
    zProbability: 0.6,
    channel: simulatedChannel({ source, loss: 0.85, flip: 0.01, seed: 1, ...options }),
    receiver: simulatedReceiver({ seed: 2 }),
  });

describe('an agreement with decoy states', () => {
  it('gives a key on an honest line', async () => {
    const { alice, bob, report } = await run({});
    expect(alice).toEqual(bob);
    expect(report.finalBits).toBeGreaterThan(256);
  });

  it('gives none when the pulses are split, although the error rate is as low as ever', async () => {
    await expect(run({ eavesdropper: photonNumberSplitting() })).rejects.toMatchObject({ code: 'KEY_TOO_SHORT' });
  });

  it('gives a key to a split line when the source is believed to send single photons: what decoys are for', async () => {
    const believed = weakCoherent({ intensities: [0.5], probabilities: [1] });
    const channel = simulatedChannel({ source: believed, loss: 0.85, flip: 0.01, eavesdropper: photonNumberSplitting() });
    const { intensities: _, ...undeclared } = channel;
    const pulses = 1 << 20;
    const naive = {
      ...undeclared,
      transmit: (sent: Parameters<typeof channel.transmit>[0]) => channel.transmit({ ...sent, classes: new Uint8Array(pulses) }),
    };
    const { report } = await agree({ pulses, channel: naive });
    expect(report.finalBits).toBeGreaterThan(256);
    expect(report.qber.combined).toBeLessThan(0.02);
  });
});

describe('the key of an honest decoy line', () => {
  interface Line extends Link {
    pulses: number;
    zProbability: number;
    sampleFraction: number;
  }

  /** Detections in the key and in X, and errors in X, that the line gives on average. */
  function expectedCounts({ pulses, zProbability, sampleFraction, ...link }: Line) {
    const counts = (share: number, value: (mean: number) => number): PerIntensity =>
      SETTING.intensities.map((mean, k) => pulses * share * (SETTING.probabilities[k] as number) * value(mean)) as never;
    const gain = (mean: number): number => coherentResponse(link, mean).gain;
    const wrong = (mean: number): number => gain(mean) * coherentResponse(link, mean).error;
    const [inZ, inX] = [zProbability ** 2 * (1 - sampleFraction), (1 - zProbability) ** 2];
    return { nX: counts(inZ, gain), mX: counts(inZ, wrong), nZ: counts(inX, gain), mZ: counts(inX, wrong) };
  }

  /** How far the length strays (one standard deviation) when each count does as Poisson's law says. */
  function spreadOf(counts: ReturnType<typeof expectedCounts>, leakPerBit: number): number {
    // The length before it is cut off at 0.
    const uncut = (input: typeof counts): number => {
      const { s0, s1, phaseError } = decoyLengthOfAverages({ ...SETTING, ...input, leak: 0 });
      return s0 + s1 * (1 - binaryEntropy(phaseError)) - leakPerBit * sum(input.nX);
    };
    let variance = 0;
    for (const name of ['nX', 'nZ', 'mZ'] as const) {
      for (const k of [0, 1, 2] as const) {
        const moved = counts[name].with(k, counts[name][k] + Math.sqrt(counts[name][k])) as unknown as PerIntensity;
        variance += (uncut({ ...counts, [name]: moved }) - uncut(counts)) ** 2;
      }
    }
    return Math.sqrt(variance);
  }

  it.each<Line>([
    { km: 0, flip: 0.01, pulses: 1 << 21, zProbability: 0.7, sampleFraction: 5 / 16 },
    { km: 10, flip: 0.005, pulses: 1 << 22, zProbability: 0.6, sampleFraction: 1 / 8 },
    { km: 15, darkCount: 1e-4, flip: 0.02, pulses: 1 << 21, zProbability: 0.5, sampleFraction: 1 / 16 },
    { km: 40, flip: 0.01, pulses: 1 << 21, zProbability: 0.6, sampleFraction: 5 / 16 },
    { km: 40, flip: 0.01, pulses: 1 << 21, zProbability: 0.9, sampleFraction: 5 / 16 },
  ])('is not longer than expected by more than six standard deviations of its counts: %j', async (line) => {
    const { km, darkCount = 0, flip = 0, pulses, zProbability, sampleFraction } = line;
    const { report } = await agree({
      pulses,
      zProbability,
      sampleFraction,
      channel: simulatedChannel({ source, fibre: { km }, darkCount, flip, seed: 3 }),
      receiver: simulatedReceiver({ seed: 4 }),
    }).catch((error: unknown): { report: Partial<Report> } => {
      if (QsecError.is(error, 'KEY_TOO_SHORT')) return { report: { finalBits: 0 } };
      throw error;
    });
    const counts = expectedCounts(line);
    const errorRate = sum(counts.mX) / sum(counts.nX);
    // What reconciliation really gave away a bit: how good it is is not in question here. Unknown where the run ended before it.
    const kept = (report.sifted ?? 0) - (report.sampled ?? 0);
    const leakPerBit = report.disclosed === undefined ? binaryEntropy(errorRate) : report.disclosed / kept;
    const limit = binaryEntropy(errorRate);
    const efficiency = Math.max(1, leakPerBit / limit);
    // A run whose errors happen to be few gives away less than Shannon's limit at the expected rate.
    const spared = (efficiency * limit - leakPerBit) * sum(counts.nX);
    const run = { ...SETTING, pulses, keyBasis: zProbability, sampleFraction, efficiency };
    const expected = expectedDecoyKeyLength(line, run).length + spared;
    expect(report.finalBits).toBeLessThanOrEqual(expected + 6 * spreadOf(counts, leakPerBit));
  });
});
