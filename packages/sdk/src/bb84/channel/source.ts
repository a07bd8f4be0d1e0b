import { array, bytes, finite, invalid, object } from '../arguments.ts';
import { newPlane } from './plane.ts';
import type { Intensity, MultiPhotonPulses, PhysicsRandom, PulseSource } from './types.ts';
import { requireCount, requireIntensities, requireRandom } from './validate.ts';

/** An ideal source: exactly one photon in each pulse. */
export function singlePhoton(): PulseSource {
  return {
    description: 'single photons',
    emit(count, _, random) {
      requireCount(count);
      requireRandom(random);
      return {};
    },
  };
}

export interface WeakCoherentOptions {
  /** Mean photon numbers of signal, decoy and vacuum, strongest first. Default 0.5, 0.1, 0.0002. */
  intensities?: readonly number[];
  /** How often each is sent; they sum to 1. Default 0.6, 0.25, 0.15. */
  probabilities?: readonly number[];
}

/**
 * An attenuated laser with randomised phase: the photon number of a pulse is Poisson with the mean of its intensity class
 * (Lo, Ma, Chen, Phys. Rev. Lett. 94, 230504, 2005). The defaults are the setting worked through in `docs/bb84.md`.
 *
 * @throws QsecError `INVALID_ARGUMENT` when intensities are not strictly decreasing in 0…10 or probabilities do not sum to 1.
 */
export function weakCoherent(options: WeakCoherentOptions = {}): PulseSource {
  const { intensities = [0.5, 0.1, 0.0002], probabilities = [0.6, 0.25, 0.15] } = object('options', options);
  const classes = toClasses(intensities, probabilities);
  const tables = classes.map(({ mean }) => poissonThresholds(mean));
  return {
    description: `weak coherent pulses of mean ${intensities.join(' / ')}`,
    intensities: classes,
    emit(count, indices, random) {
      requireCount(count);
      return drawPhotons(count, bytes('classes', indices as Uint8Array, count), tables, requireRandom(random));
    },
  };
}

function toClasses(means: readonly number[], probabilities: readonly number[]): Intensity[] {
  if (array('intensities', means, 'an array of numbers').length === 0 || means.length > 255)
    throw invalid('intensities', '1 to 255 numbers', means);
  array('probabilities', probabilities, `an array of ${means.length} numbers, one for each intensity`, means.length);
  for (const [k, mean] of means.entries()) {
    finite('intensities', mean, 0, 10);
    finite('probabilities', probabilities[k] as number, 0, 1);
    if (k > 0 && mean >= (means[k - 1] as number))
      throw invalid('intensities', 'the strongest first, strictly decreasing', means.join(', '));
  }
  const sum = probabilities.reduce((total, p) => total + p, 0);
  if (Math.abs(sum - 1) > 1e-9) throw invalid('probabilities', 'a sum of 1', sum);
  return means.map((mean, k) => ({ mean, probability: probabilities[k] as number }));
}

/** Cumulative Poisson probabilities as 32-bit thresholds: entry n is P(photons ≤ n)·2³². */
function poissonThresholds(mean: number): Float64Array {
  const thresholds: number[] = [];
  let term = Math.exp(-mean);
  let cumulative = 0;
  for (let n = 0; n < 255 && cumulative * 0x1_0000_0000 < 0xffff_ffff; n++) {
    cumulative += term;
    thresholds.push(cumulative * 0x1_0000_0000);
    term *= mean / (n + 1);
    if (term < 1e-12 && n > mean) break;
  }
  return Float64Array.from(thresholds);
}

function drawPhotons(
  count: number,
  indices: Uint8Array,
  tables: readonly Float64Array[],
  random: PhysicsRandom,
): { present: Uint8Array; multi?: MultiPhotonPulses } {
  const vacuum = Float64Array.from(tables, (table) => table[0] as number);
  const single = Float64Array.from(tables, (table) => table[1] ?? Number.POSITIVE_INFINITY);
  const present = newPlane(count);
  const positions: number[] = [];
  const photons: number[] = [];
  for (let i = 0; i < count; i++) {
    const k = indices[i] as number;
    const draw = random.next();
    const empty = vacuum[k];
    if (empty === undefined) throw invalid('classes', `indices below ${tables.length}`, k);
    if (draw < empty) continue;
    present[i >>> 3] = (present[i >>> 3] as number) | (0x80 >>> (i & 7));
    if (draw < (single[k] as number)) continue;
    const table = tables[k] as Float64Array;
    let n = 2;
    while (n < table.length && draw >= (table[n] as number)) n++;
    positions.push(i);
    photons.push(n);
  }
  return positions.length === 0
    ? { present }
    : { present, multi: { positions: Uint32Array.from(positions), photons: Uint8Array.from(photons) } };
}

/**
 * Draws the intensity class of each pulse from the system's CSPRNG: an eavesdropper must not be able to guess it.
 *
 * @returns one index a pulse.
 */
export function drawClasses(intensities: readonly Intensity[], count: number): Uint8Array {
  requireIntensities(intensities);
  requireCount(count);
  const classes = new Uint8Array(count);
  const thresholds: number[] = [];
  let cumulative = 0;
  for (const { probability } of intensities) {
    cumulative += probability;
    thresholds.push(cumulative * 0x1_0000_0000);
  }
  const last = intensities.length - 1;
  const words = new Uint32Array(Math.min(count, 16384));
  for (let start = 0; start < count; start += words.length) {
    crypto.getRandomValues(words);
    const end = Math.min(count - start, words.length);
    for (let i = 0; i < end; i++) {
      const word = words[i] as number;
      let k = 0;
      while (k < last && word >= (thresholds[k] as number)) k++;
      classes[start + i] = k;
    }
  }
  return classes;
}
