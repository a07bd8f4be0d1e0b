import { array, bytes, finite, integer, invalid, object, withMethods, word } from '../arguments.ts';
import { byteLength } from '../bits.ts';
import { MOST_PULSES } from '../limits.ts';
import { countOnes } from './plane.ts';
import type {
  Detections,
  DetectorModel,
  Eavesdropper,
  Intensity,
  Line,
  MultiPhotonPulses,
  PhysicsRandom,
  PreparedPulses,
  PulsesInFlight,
  QuantumChannel,
  QuantumReceiver,
  Transmission,
} from './types.ts';

/* Checks of what crosses the ports of the quantum channel, where the other side may be a user's own hardware or attack. */

/** Exactly one bit for each of `count` pulses. */
export const requirePlane = (name: string, plane: Uint8Array, count: number): void => void bytes(name, plane, byteLength(count));

export const requireCount = (count: number): number => integer('count', count, 0, MOST_PULSES);

export function requirePulses(pulses: PreparedPulses): void {
  const { count, bits, bases } = object('pulses', pulses);
  requireCount(count);
  requirePlane('bits', bits, count);
  requirePlane('bases', bases, count);
}

function requireDetector(detector: DetectorModel): void {
  const { efficiency, darkCount } = object('detector', detector);
  finite('efficiency', efficiency, 0, 1);
  finite('darkCount', darkCount, 0, 1);
}

function requireMulti(multi: MultiPhotonPulses, count: number): void {
  const { positions, photons } = object('multi', multi);
  const expected = `ascending positions below ${count}, each with 2 to 255 photons`;
  if (!(positions instanceof Uint32Array) || !(photons instanceof Uint8Array) || positions.length !== photons.length)
    throw invalid('multi', expected, multi);
  let next = 0;
  for (let j = 0; j < positions.length; j++) {
    const position = positions[j] as number;
    if (position < next || position >= count || (photons[j] as number) < 2) throw invalid('multi', expected, multi);
    next = position + 1;
  }
}

type Light = Pick<PulsesInFlight, 'bits' | 'bases'> & Partial<Pick<PulsesInFlight, 'breidbart' | 'present' | 'multi'>>;

function requireLight({ bits, bases, breidbart, present, multi }: Light, count: number): void {
  requirePlane('bits', bits, count);
  requirePlane('bases', bases, count);
  if (breidbart !== undefined) requirePlane('breidbart', breidbart, count);
  if (present !== undefined) requirePlane('present', present, count);
  if (multi !== undefined) requireMulti(multi, count);
}

export function requireTransmission(transmission: Transmission): void {
  const { count, states, detector } = object('transmission', transmission);
  requireCount(count);
  requireDetector(detector);
  if (states !== undefined) requireLight(object('states', states) as Light, count);
}

/** What an eavesdropper is handed. */
export function requireAttack(pulses: PulsesInFlight, line: Line, random: PhysicsRandom): void {
  requireLight(object('pulses', pulses), requireCount(pulses.count));
  requireLine(line);
  requireRandom(random);
}

/** The line that an eavesdropper is handed, or hands on. */
export function requireLine(line: Line): Line {
  const { transmittance, detector } = object('line', line);
  finite('transmittance', transmittance, 0, 1);
  requireDetector(detector);
  return line;
}

export const requireRandom = (random: PhysicsRandom): PhysicsRandom =>
  withMethods('random', random, 'a generator with next()', 'next');

export const requireEavesdropper = (eavesdropper: Eavesdropper): Eavesdropper =>
  withMethods('eavesdropper', eavesdropper, 'an eavesdropper with attack(), or an array of them', 'attack');

/** Intensities with probabilities that sum to 1. */
export function requireIntensities(intensities: readonly Intensity[]): void {
  array('intensities', intensities, 'an array of mean photon numbers with probabilities');
  let sum = 0;
  for (const intensity of intensities) {
    const { mean, probability } = object('intensities', intensity);
    finite('mean', mean, 0, 100);
    sum += finite('probability', probability, 0, 1);
  }
  if (Math.abs(sum - 1) > 1e-9) throw invalid('probability', 'a sum of 1 over all intensities', sum);
}

const PROVENANCES = ['simulated', 'hardware'] as const;

export function requireChannel(channel: QuantumChannel): QuantumChannel {
  withMethods('channel', channel, 'a quantum channel, such as simulatedChannel()', 'transmit');
  word('channel.provenance', channel.provenance, PROVENANCES);
  if (typeof channel.description !== 'string') throw invalid('channel.description', 'a text', channel.description);
  if (channel.intensities !== undefined) requireIntensities(channel.intensities);
  return channel;
}

export function requireReceiver(receiver: QuantumReceiver): QuantumReceiver {
  withMethods('receiver', receiver, 'a quantum receiver, such as simulatedReceiver()', 'detect');
  word('receiver.provenance', receiver.provenance, PROVENANCES);
  return receiver;
}

/** What a receiver's detectors showed. */
export function requireDetections(detections: Detections, pulses: number): Detections {
  const { detected, bits, clicks } = object('detections', detections);
  requirePlane('detected', detected, pulses);
  requirePlane('bits', bits, pulses);
  const ones = countOnes(detected);
  if (clicks !== ones) throw invalid('clicks', `${ones}, the pulses marked as detected`, clicks);
  return detections;
}

/** A fraction as a percentage with no needless digits: 0.015 → `1.5 %`. */
export const percent = (fraction: number): string => `${Number((fraction * 100).toPrecision(4))} %`;
