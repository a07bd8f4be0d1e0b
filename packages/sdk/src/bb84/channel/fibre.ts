import { finite } from '../arguments.ts';
import { happens } from './physics-random.ts';
import { bernoulliPlane, copyPlane, wordsOf, writablePlane, writeBit } from './plane.ts';
import type { MultiPhotonPulses, PhysicsRandom, PulsesInFlight } from './types.ts';

/**
 * Probability that a photon survives `km` of fibre: 10^(−km·dBPerKm/10).
 *
 * @throws QsecError `INVALID_ARGUMENT` unless km is from 0 to 100 000 and dBPerKm from 0 to 1000.
 */
export const fibreTransmittance = (km: number, dBPerKm: number): number =>
  10 ** ((-finite('km', km, 0, 1e5) * finite('dBPerKm', dBPerKm, 0, 1e3)) / 10);

/** Lets each photon through independently with the given probability. */
export function attenuate(pulses: PulsesInFlight, transmittance: number, random: PhysicsRandom): void {
  if (transmittance >= 1) return;
  const survivors = bernoulliPlane(pulses.count, transmittance, random);
  const multi = pulses.multi;
  if (pulses.present) intersect(survivors, pulses.present);
  pulses.present = survivors;
  // A pulse of several photons arrives when any of them does: it is drawn photon by photon.
  if (multi) pulses.multi = thin(multi, survivors, transmittance, random);
}

/** Thins pulses of several photons; `present` becomes 0 where none is left. Returns those that still hold two or more. */
function thin(
  multi: MultiPhotonPulses,
  present: Uint8Array,
  transmittance: number,
  random: PhysicsRandom,
): MultiPhotonPulses | undefined {
  const positions = new Uint32Array(multi.positions.length);
  const photons = new Uint8Array(multi.positions.length);
  let kept = 0;
  for (let j = 0; j < multi.positions.length; j++) {
    const sent = multi.photons[j] as number;
    let left = 0;
    for (let photon = 0; photon < sent; photon++) if (happens(random, transmittance)) left++;
    const position = multi.positions[j] as number;
    writeBit(present, position, left > 0 ? 1 : 0);
    if (left < 2) continue;
    positions[kept] = position;
    photons[kept++] = left;
  }
  return kept === 0 ? undefined : { positions: positions.slice(0, kept), photons: photons.slice(0, kept) };
}

/** `target` keeps only the bits that `other` has too. */
function intersect(target: Uint8Array, other: Uint8Array): void {
  const a = wordsOf(target);
  const b = wordsOf(other);
  for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) & (b[i] as number);
}

/** Turns each state into its orthogonal one with the given probability: misaligned polarisation. */
export function misalign(pulses: PulsesInFlight, flip: number, random: PhysicsRandom): void {
  if (flip <= 0) return;
  const flips = wordsOf(bernoulliPlane(pulses.count, flip, random));
  const bits = wordsOf(pulses.bits);
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] as number) ^ (flips[i] as number);
}

/** Takes over planes that an attack put in place of the old ones: further on they are written 32 pulses at a time. */
export function settle(pulses: PulsesInFlight): void {
  const { count } = pulses;
  pulses.bits = writablePlane(pulses.bits, count);
  pulses.bases = writablePlane(pulses.bases, count);
  if (pulses.breidbart) pulses.breidbart = writablePlane(pulses.breidbart, count);
  if (pulses.present) pulses.present = writablePlane(pulses.present, count);
}

/** What Alice prepared, in memory of its own that an attack may write. */
export const launch = (count: number, bits: Uint8Array, bases: Uint8Array): PulsesInFlight => ({
  count,
  bits: copyPlane(bits, count),
  bases: copyPlane(bases, count),
  breidbart: undefined,
  present: undefined,
  multi: undefined,
});
