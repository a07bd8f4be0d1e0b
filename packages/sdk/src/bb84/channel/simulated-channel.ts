import { QsecError } from '../../errors.ts';
import { finite, object, seedOf, withMethods } from '../arguments.ts';
import { inSequence } from './eavesdropper.ts';
import { attenuate, fibreTransmittance, launch, misalign, settle } from './fibre.ts';
import { physicsRandom } from './physics-random.ts';
import { clearTail } from './plane.ts';
import { singlePhoton } from './source.ts';
import type { DetectorModel, Eavesdropper, Line, PhotonStates, PulseSource, PulsesInFlight, QuantumChannel } from './types.ts';
import { percent, requireEavesdropper, requireIntensities, requireLine, requirePulses } from './validate.ts';

export interface SimulatedChannelOptions {
  /** Probability that a state arrives as its orthogonal one (misalignment), 0…0.5. Default 0. */
  flip?: number;
  /** Probability that a photon is lost on the way, 0…1. Default 0. Not together with `fibre`. */
  loss?: number;
  /** Length and attenuation of the fibre, 0.2 dB/km by default. Not together with `loss`. */
  fibre?: { km: number; dBPerKm?: number };
  /** Probability that one detector clicks without light during a pulse; there are two. Default 0. */
  darkCount?: number;
  /** Probability that a photon which arrives is detected. Default 1. */
  efficiency?: number;
  /** Default `singlePhoton()`. */
  source?: PulseSource;
  /** One attack, or several along the fibre, the first nearest to Alice. */
  eavesdropper?: Eavesdropper | readonly Eavesdropper[];
  /** Makes the physics on this side repeatable. Key bits, bases and intensity classes stay random. */
  seed?: number;
}

/**
 * A simulated link: source, then eavesdroppers at its exit, then fibre loss, then misalignment. Detector efficiency and dark
 * counts are only described here; they act where the light is measured, with the receiving side's own randomness.
 *
 * @throws QsecError `INVALID_ARGUMENT` when an option is out of range, or when `loss` and `fibre` are both given.
 *
 * @example
 * ```ts
 * simulatedChannel({ fibre: { km: 50 }, efficiency: 0.2, darkCount: 1e-6, source: weakCoherent(), eavesdropper: photonNumberSplitting() });
 * ```
 */
export function simulatedChannel(options: SimulatedChannelOptions = {}): QuantumChannel {
  const { flip = 0, darkCount = 0, efficiency = 1, source = singlePhoton(), seed } = object('options', options);
  finite('flip', flip, 0, 0.5);
  finite('darkCount', darkCount, 0, 1);
  finite('efficiency', efficiency, 0, 1);
  withMethods('source', source, 'a light source, such as weakCoherent()', 'emit');
  if (source.intensities !== undefined) requireIntensities(source.intensities);
  const transmittance = transmittanceOf(options);
  const eavesdropper = eavesdropperOf(options);
  const detector: DetectorModel = { efficiency, darkCount };
  const random = physicsRandom(seedOf(seed));
  const intensities = source.intensities;
  const line: Line = { transmittance, detector };

  return {
    provenance: 'simulated',
    description: describe(options, source, eavesdropper),
    ...(intensities && { intensities }),
    transmit(prepared) {
      requirePulses(prepared);
      const { count, bits, bases, classes } = prepared;
      const pulses = launch(count, bits, bases);
      const { present, multi } = source.emit(count, classes, random);
      pulses.present = present;
      pulses.multi = multi;
      const rest = eavesdropper ? requireLine(eavesdropper.attack(pulses, line, random)) : line;
      settle(pulses);
      attenuate(pulses, rest.transmittance, random);
      misalign(pulses, flip, random);
      return { count, states: landed(pulses), detector };
    },
  };
}

function transmittanceOf({ loss, fibre }: SimulatedChannelOptions): number {
  if (loss !== undefined && fibre !== undefined)
    throw new QsecError('INVALID_ARGUMENT', '"loss" and "fibre" both say how much light arrives: give one');
  if (fibre === undefined) {
    return 1 - finite('loss', loss === undefined ? 0 : loss, 0, 1);
  }
  const { km, dBPerKm = 0.2 } = object('fibre', fibre);
  return fibreTransmittance(finite('fibre.km', km, 0, 1e5), finite('fibre.dBPerKm', dBPerKm, 0, 1e3));
}

function eavesdropperOf({ eavesdropper }: SimulatedChannelOptions): Eavesdropper | undefined {
  if (eavesdropper === undefined) return undefined;
  if (!Array.isArray(eavesdropper)) return requireEavesdropper(eavesdropper as Eavesdropper);
  return eavesdropper.length === 0 ? undefined : inSequence(eavesdropper);
}

function landed({ count, bits, bases, breidbart, present, multi }: PulsesInFlight): PhotonStates {
  for (const plane of [bits, bases, breidbart, present]) if (plane) clearTail(plane, count);
  return { bits, bases, ...(breidbart && { breidbart }), ...(present && { present }), ...(multi && { multi }) };
}

function describe(
  { flip = 0, loss = 0, fibre, darkCount = 0, efficiency = 1 }: SimulatedChannelOptions,
  source: PulseSource,
  eavesdropper: Eavesdropper | undefined,
): string {
  const parts = [source.description];
  if (flip > 0) parts.push(`flip ${percent(flip)}`);
  if (loss > 0) parts.push(`loss ${percent(loss)}`);
  if (fibre) parts.push(`${fibre.km} km of fibre at ${fibre.dBPerKm ?? 0.2} dB/km`);
  if (efficiency < 1) parts.push(`detector efficiency ${percent(efficiency)}`);
  if (darkCount > 0) parts.push(`dark counts ${darkCount}`);
  if (eavesdropper) parts.push(`eavesdropper: ${eavesdropper.description}`);
  return `simulated: ${parts.join(', ')}`;
}
