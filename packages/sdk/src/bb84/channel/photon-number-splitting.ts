import { happens } from './physics-random.ts';
import { bernoulliPlane, copyPlane, countOnes, fullPlane, wordsOf, writeBit } from './plane.ts';
import type { Eavesdropper, Line, MultiPhotonPulses, PhysicsRandom, PulsesInFlight } from './types.ts';
import { requireAttack } from './validate.ts';

/**
 * Counts the photons of each pulse without disturbing them, keeps one photon of every pulse that holds several, and replaces the
 * fibre by a lossless one. She stops so many single-photon pulses that Bob detects as often as before, and knows the bits of the
 * rest once bases are announced (Brassard, Lütkenhaus, Mor, Sanders, Phys. Rev. Lett. 85, 1330, 2000). No error betrays her;
 * that weak pulses arrive more rarely than strong ones allow does, which is what decoy states look for.
 */
export function photonNumberSplitting(): Eavesdropper {
  return {
    description: 'photon-number splitting',
    attack(pulses, line, random) {
      requireAttack(pulses, line, random);
      const { singles, several } = forwardingRates(pulses, line);
      const kept = keepOnePhoton(pulses, several, random);
      stopSingles(pulses, singles, random);
      pulses.multi = kept;
      return { ...line, transmittance: 1 };
    },
  };
}

/** Which share of single- and of multi-photon pulses to let through so that the expected number of detections stays what it was. */
function forwardingRates(
  { count, present, multi }: PulsesInFlight,
  { transmittance, detector: { efficiency } }: Line,
): { singles: number; several: number } {
  const several = multi?.photons ?? new Uint8Array(0);
  const singles = (present ? countOnes(present) : count) - several.length;
  const detects = (photons: number, probability: number): number => 1 - (1 - probability) ** photons;
  let wanted = singles * transmittance * efficiency;
  let offered = 0;
  for (const photons of several) {
    wanted += detects(photons, transmittance * efficiency);
    offered += detects(photons - 1, efficiency);
  }
  if (offered >= wanted) return { singles: 0, several: offered > 0 ? wanted / offered : 1 };
  return { singles: Math.min(1, (wanted - offered) / (singles * efficiency)), several: 1 };
}

/** Takes a photon from each multi-photon pulse and stops some of them. Returns those that still hold two or more. */
function keepOnePhoton(pulses: PulsesInFlight, rate: number, random: PhysicsRandom): MultiPhotonPulses | undefined {
  const multi = pulses.multi;
  if (!multi) return undefined;
  pulses.present ??= fullPlane(pulses.count);
  const positions: number[] = [];
  const photons: number[] = [];
  for (let j = 0; j < multi.positions.length; j++) {
    const position = multi.positions[j] as number;
    const left = (multi.photons[j] as number) - 1;
    if (!happens(random, rate)) writeBit(pulses.present, position, 0);
    else if (left > 1) {
      positions.push(position);
      photons.push(left);
    }
  }
  return positions.length === 0 ? undefined : { positions: Uint32Array.from(positions), photons: Uint8Array.from(photons) };
}

/** Lets single-photon pulses through at the given rate and multi-photon ones untouched. */
function stopSingles(pulses: PulsesInFlight, rate: number, random: PhysicsRandom): void {
  if (rate >= 1) return;
  const present = pulses.present ?? fullPlane(pulses.count);
  const passed = bernoulliPlane(pulses.count, rate, random);
  for (const position of pulses.multi?.positions ?? []) writeBit(passed, position, 1);
  const kept = copyPlane(present, pulses.count);
  const words = wordsOf(kept);
  const mask = wordsOf(passed);
  for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & (mask[i] as number);
  pulses.present = kept;
}
