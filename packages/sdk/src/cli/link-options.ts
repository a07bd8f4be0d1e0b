import {
  type Eavesdropper,
  interceptResend,
  type PulseSource,
  photonNumberSplitting,
  type SimulatedChannelOptions,
  singlePhoton,
  weakCoherent,
} from '../bb84/index.ts';
import type { OptionValues } from './command.ts';
import { choice, count, flag, given, number, numbers, UsageError } from './values.ts';

const FRACTION = { low: 0, high: 1 };

/** Options that describe a link and who sits on it, shared by the commands. */
export const LINK_OPTIONS = {
  flip: { type: 'string' },
  loss: { type: 'string' },
  km: { type: 'string' },
  'db-per-km': { type: 'string' },
  efficiency: { type: 'string' },
  'dark-count': { type: 'string' },
  source: { type: 'string' },
  intensities: { type: 'string' },
  probabilities: { type: 'string' },
  intercept: { type: 'string' },
  'intercept-basis': { type: 'string' },
  pns: { type: 'boolean' },
  seed: { type: 'string' },
} as const;

export const LINK_HELP = `Link:
  --flip P             probability that a state arrives as its orthogonal one, such as 0.015 or 1.5% (0)
  --loss P             probability that a photon is lost on the way (0)
  --km L               length of fibre, instead of --loss
  --db-per-km A        its attenuation (0.2)
  --efficiency P       probability that a photon which arrives is detected (1)
  --dark-count P       probability that one of the two detectors clicks by itself during a pulse (0)
  --source KIND        single: one photon a pulse; decoy: weak coherent pulses of several intensities (single)
  --intensities LIST   mean photon numbers of a decoy source, strongest first (0.5,0.1,0.0002)
  --probabilities LIST how often each is sent (0.6,0.25,0.15)

Eavesdropper:
  --intercept P        measure and resend this fraction of the pulses
  --intercept-basis B  random, z, x or breidbart (random)
  --pns                split a photon off every pulse that holds several
  --seed N             repeat the same noise and eavesdropper; key bits and bases stay random`;

/** The simulated channel that the options describe. */
export function linkOptions(values: OptionValues): SimulatedChannelOptions {
  const km = number(values, 'km', { low: 0, high: 1e5 });
  const dBPerKm = number(values, 'db-per-km', { low: 0, high: 1e3 });
  if (dBPerKm !== undefined && km === undefined) throw new UsageError('--db-per-km needs a length of fibre: give --km too');
  if (km !== undefined && values.loss !== undefined)
    throw new UsageError('--loss and --km both say how much light arrives: give one');
  const eavesdropper = eavesdroppers(values);
  return {
    ...given('flip', number(values, 'flip', { low: 0, high: 0.5 })),
    ...given('loss', number(values, 'loss', FRACTION)),
    ...given('fibre', km === undefined ? undefined : { km, ...given('dBPerKm', dBPerKm) }),
    ...given('efficiency', number(values, 'efficiency', FRACTION)),
    ...given('darkCount', number(values, 'dark-count', FRACTION)),
    ...given('seed', count(values, 'seed', { low: 0 })),
    source: source(values),
    ...(eavesdropper.length > 0 && { eavesdropper }),
  };
}

function source(values: OptionValues): PulseSource {
  const intensities = numbers(values, 'intensities', { low: 0, high: 10 });
  const probabilities = numbers(values, 'probabilities', FRACTION);
  const kind = choice(values, 'source', ['single', 'decoy']) ?? (intensities || probabilities ? 'decoy' : 'single');
  if (kind === 'decoy') return weakCoherent({ ...given('intensities', intensities), ...given('probabilities', probabilities) });
  if (intensities || probabilities) throw new UsageError('--intensities and --probabilities need --source decoy');
  return singlePhoton();
}

function eavesdroppers(values: OptionValues): Eavesdropper[] {
  const fraction = number(values, 'intercept', FRACTION);
  const basis = choice(values, 'intercept-basis', ['random', 'z', 'x', 'breidbart']);
  if (basis && fraction === undefined) throw new UsageError('--intercept-basis needs an eavesdropper: give --intercept too');
  const list: Eavesdropper[] = [];
  if (flag(values, 'pns')) list.push(photonNumberSplitting());
  if (fraction !== undefined) list.push(interceptResend(fraction, given('basis', basis)));
  return list;
}
