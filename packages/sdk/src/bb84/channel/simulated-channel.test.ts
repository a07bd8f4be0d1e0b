import { describe, expect, it } from 'vitest';
import { QsecError } from '../../errors.ts';
import { randomBits } from '../random.ts';
import type { Eavesdropper, SimulatedChannelOptions, WeakCoherentOptions } from './index.ts';
import {
  drawClasses,
  fibreTransmittance,
  interceptResend,
  measure,
  photonNumberSplitting,
  simulatedChannel,
  simulatedReceiver,
  weakCoherent,
} from './index.ts';
import { countOnes } from './plane.ts';

const pulses = (count: number) => ({ count, bits: randomBits(count), bases: randomBits(count) });

describe('a simulated channel', () => {
  it('says in words what it simulates', () => {
    expect(simulatedChannel().description).toBe('simulated: single photons');
    const everything = simulatedChannel({
      flip: 0.015,
      fibre: { km: 50 },
      darkCount: 1e-6,
      efficiency: 0.2,
      source: weakCoherent(),
      eavesdropper: [interceptResend(0.05, { basis: 'breidbart' }), photonNumberSplitting()],
    });
    expect(everything.description).toBe(
      'simulated: weak coherent pulses of mean 0.5 / 0.1 / 0.0002, flip 1.5 %, 50 km of fibre at 0.2 dB/km, detector efficiency 20 %, ' +
        'dark counts 0.000001, eavesdropper: intercept-resend on 5 % (Breidbart basis), then photon-number splitting',
    );
    expect(everything.provenance).toBe('simulated');
  });

  it.each<[string, SimulatedChannelOptions]>([
    ['flip', { flip: 0.6 }],
    ['loss', { loss: -0.1 }],
    ['efficiency', { efficiency: Number.NaN }],
    ['darkCount', { darkCount: 2 }],
    ['fibre.km', { fibre: { km: -1 } }],
    ['loss', { loss: 0.1, fibre: { km: 1 } }],
  ])('refuses an impossible "%s"', (name, options) => {
    expect(() => simulatedChannel(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`"${name}"`) }),
    );
  });

  it('refuses planes of another length than the pulses', () => {
    expect(() => simulatedChannel().transmit({ ...pulses(100), bits: new Uint8Array(12) })).toThrow(QsecError);
    expect(() => measure(simulatedChannel().transmit(pulses(100)), new Uint8Array(14))).toThrow(QsecError);
  });

  it('loses 0.2 dB in a kilometre of fibre unless told otherwise', () => {
    expect(fibreTransmittance(50, 0.2)).toBeCloseTo(0.1, 12);
    const { states } = simulatedChannel({ fibre: { km: 50 }, seed: 1 }).transmit(pulses(8000));
    const arrived = [...(states?.present ?? [])].reduce((n, byte) => n + byte.toString(2).replaceAll('0', '').length, 0);
    expect(Math.abs(arrived - 800)).toBeLessThan(5 * Math.sqrt(720));
  });

  it('takes an empty list of eavesdroppers for none', () => {
    expect(simulatedChannel({ eavesdropper: [] }).description).toBe('simulated: single photons');
  });
});

describe('an eavesdropper of one’s own', () => {
  it('may replace planes by ones of any memory, alone and before another', () => {
    const count = 1003;
    const darken: Eavesdropper = {
      description: 'reads everything as 0 in Z',
      attack(flight, line) {
        flight.bits = new Uint8Array(126);
        flight.bases = new Uint8Array(130).subarray(3, 129);
        flight.present = new Uint8Array(126).fill(0xff);
        return line;
      },
    };
    for (const eavesdropper of [[darken], [darken, interceptResend(1, { basis: 'z' })]]) {
      const transmission = simulatedChannel({ flip: 0.5, eavesdropper }).transmit(pulses(count));
      const ones = countOnes(measure(transmission, new Uint8Array(126)).bits);
      expect(Math.abs(ones - count / 2)).toBeLessThan(6 * Math.sqrt(count / 4));
      expect(measure(transmission, new Uint8Array(126)).clicks).toBe(count);
    }
  });
});

describe('an eavesdropper’s own memory', () => {
  it('is read where a plane shares its last word with something else, and left as it is', () => {
    const memory = new Uint8Array(8).fill(0xff);
    const sharing: Eavesdropper = {
      description: 'keeps all its planes in one buffer',
      attack(flight, line) {
        flight.bits = memory.subarray(4, 6);
        return line;
      },
    };
    const { states } = simulatedChannel({ eavesdropper: sharing, flip: 0.5, seed: 1 }).transmit(pulses(16));
    expect([...memory]).toEqual(new Array(8).fill(0xff));
    expect(countOnes(states?.bits as Uint8Array)).toBeLessThan(16);
  });
});

describe('what leaves the fibre', () => {
  it('does not fix what Bob reads in the other basis', () => {
    const sent = pulses(4096);
    const transmission = simulatedChannel({ seed: 1 }).transmit(sent);
    const other = sent.bases.map((byte) => byte ^ 0xff);
    expect(measure(transmission, other).bits).not.toEqual(measure(transmission, other).bits);
    expect(measure(transmission, sent.bases).bits).toEqual(sent.bits);
  });

  it('can be measured in several blocks by one receiver, whose luck goes on', () => {
    const receiver = simulatedReceiver({ seed: 9 });
    const sent = pulses(4096);
    const transmission = simulatedChannel().transmit(sent);
    const other = sent.bases.map((byte) => byte ^ 0xff);
    expect(receiver.detect(transmission, other).bits).not.toEqual(receiver.detect(transmission, other).bits);
  });

  it('has no planes but those that the line needs', () => {
    const planes = (options: SimulatedChannelOptions, classes?: Uint8Array): string[] =>
      Object.keys(
        simulatedChannel({ seed: 1, ...options }).transmit({ ...pulses(64), ...(classes && { classes }) }).states ?? {},
      );
    expect(planes({})).toEqual(['bits', 'bases']);
    expect(planes({ loss: 0.5 })).toEqual(['bits', 'bases', 'present']);
    expect(planes({ eavesdropper: interceptResend(1, { basis: 'breidbart' }) })).toEqual(['bits', 'bases', 'breidbart']);
    const source = weakCoherent({ intensities: [10], probabilities: [1] });
    expect(planes({ source }, new Uint8Array(64))).toEqual(['bits', 'bases', 'present', 'multi']);
  });

  it('has no bit after its last pulse, whatever an eavesdropper wrote there', () => {
    const full = () => new Uint8Array(2).fill(0xff);
    const careless: Eavesdropper = {
      description: 'fills whole bytes',
      attack(flight, line) {
        Object.assign(flight, { bits: full(), bases: full(), breidbart: full(), present: full() });
        return line;
      },
    };
    const { states } = simulatedChannel({ eavesdropper: careless }).transmit(pulses(11));
    const ones = Uint8Array.of(0xff, 0xe0);
    expect(states).toEqual({ bits: ones, bases: ones, breidbart: ones, present: ones });
  });

  it('needs its own receiver when a real fibre carried it', () => {
    const bases = randomBits(8);
    expect(() => measure({ count: 8, detector: { efficiency: 1, darkCount: 0 } }, bases)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });
});

describe('a weak coherent source', () => {
  it.each<[string, WeakCoherentOptions]>([
    ['intensities out of order', { intensities: [0.1, 0.5, 0] }],
    ['more probabilities than intensities', { probabilities: [0.25, 0.25, 0.25, 0.25] }],
    ['probabilities that do not sum to 1', { probabilities: [0.5, 0.3, 0.1] }],
    ['a negative intensity', { intensities: [0.5, 0.1, -0.1] }],
  ])('refuses %s', (_, options) => {
    expect(() => weakCoherent(options)).toThrow(QsecError);
  });

  it('needs the class of every pulse', () => {
    const channel = simulatedChannel({ source: weakCoherent() });
    expect(() => channel.transmit(pulses(10))).toThrow('"classes"');
    expect(() => channel.transmit({ ...pulses(10), classes: new Uint8Array(10).fill(3) })).toThrow('indices below 3');
  });

  it('has its classes drawn with their probabilities', () => {
    const intensities = [0.5, 0.1, 0].map((mean, k) => ({ mean, probability: [0.6, 0.25, 0.15][k] as number }));
    const classes = drawClasses(intensities, 1_000_000);
    for (const [k, { probability }] of intensities.entries()) {
      const drawn = classes.reduce((n, c) => n + Number(c === k), 0);
      // 6σ: these are drawn afresh on every run.
      expect(Math.abs(drawn - 1e6 * probability)).toBeLessThan(6 * Math.sqrt(1e6 * probability * (1 - probability)));
    }
  });

  it('sends nothing at intensity 0', () => {
    const channel = simulatedChannel({ source: weakCoherent({ intensities: [0.5, 0], probabilities: [0.5, 0.5] }) });
    const { states } = channel.transmit({ ...pulses(4096), classes: new Uint8Array(4096).fill(1) });
    expect(states?.present?.every((byte) => byte === 0)).toBe(true);
  });
});
