import { describe, expect, it } from 'vitest';
import {
  agree,
  photonNumberSplitting,
  type SimulatedChannelOptions,
  simulatedChannel,
  simulatedReceiver,
  weakCoherent,
} from './index.ts';

const source = weakCoherent({ intensities: [0.5, 0.1, 0.0002], probabilities: [0.4, 0.35, 0.25] });

const run = (options: SimulatedChannelOptions) =>
  agree({
    pulses: 1 << 22,
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
