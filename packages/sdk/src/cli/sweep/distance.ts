import {
  decoyRate,
  expectedDecoyKeyLength,
  expectedTaggedKeyLength,
  type Link,
  type PerIntensity,
  taggedRate,
} from '../../bb84/index.ts';
import { maximise } from './maximise.ts';
import type { Series, Sweep } from './series.ts';
import { superscript } from './svg-plot.ts';

export interface DistanceSweep {
  link: Omit<Link, 'km'>;
  distances: readonly number[];
  /** Block sizes of the finite-key curves, in pulses sent. */
  pulses: readonly number[];
  efficiency: number;
  epsSec: number;
  epsCor: number;
  /** Called after each distance. */
  onPoint?: (done: number) => void;
}

/** Mean photon number of the vacuum class: lasers do not go fully dark. */
const VACUUM = 0.0002;

/** Secret bits a pulse against the length of fibre, with decoy states and without, endless and finite, every setting optimised at each point. */
export function sweepDistance({ link, distances, pulses, efficiency, epsSec, epsCor, onPoint }: DistanceSweep): Sweep {
  const decoys: number[][] = pulses.map(() => []);
  const tagged: number[][] = pulses.map(() => []);
  const [decoysForever, taggedForever]: [number[], number[]] = [[], []];
  const run = { efficiency, epsSec, epsCor };
  const settings = pulses.map(() => DECOY_START);
  for (const [done, km] of distances.entries()) {
    const here = { ...link, km };
    decoysForever.push(bestMean((mean) => decoyRate(here, mean, efficiency)).value);
    taggedForever.push(bestMean((mean) => taggedRate(here, mean, efficiency)).value);
    for (const [i, sent] of pulses.entries()) {
      const found = bestDecoys(
        (setting) => expectedDecoyKeyLength(here, { pulses: sent, ...run, ...setting }).length,
        settings[i] ?? DECOY_START,
      );
      settings[i] = found.point;
      decoys[i]?.push(found.value / sent);
      tagged[i]?.push(
        bestTagged((keyBasis, mean) => expectedTaggedKeyLength(here, { pulses: sent, keyBasis, mean, ...run })) / sent,
      );
    }
    onPoint?.(done + 1);
  }
  const blocks = pulses.map((sent) => powerOfTen(sent));
  const finite = (family: number, label: string, column: string, found: readonly number[][]): Series[] =>
    blocks.map((block, i) => ({
      label: `${label}, ${block} pulses`,
      column: `${column}_${shortExponent(pulses[i] as number)}`,
      family,
      dash: i + 1,
      values: found[i] as number[],
    }));
  return {
    title: 'Secret key rate of BB84 over fibre',
    subtitle: describe(link, efficiency, epsSec),
    x: { label: 'fibre length, km', column: 'km', values: distances },
    y: { label: 'secret bits per pulse', logarithmic: true },
    series: [
      { label: 'decoy states, asymptotic', column: 'decoy_asymptotic', family: 0, dash: 0, values: decoysForever },
      ...finite(0, 'decoy states', 'decoy', decoys),
      { label: 'no decoy states, asymptotic', column: 'no_decoy_asymptotic', family: 1, dash: 0, values: taggedForever },
      ...finite(1, 'no decoy states', 'no_decoy', tagged),
    ],
  };
}

function describe(
  { dBPerKm = 0.2, efficiency = 1, darkCount = 0, flip = 0 }: Omit<Link, 'km'>,
  f: number,
  epsSec: number,
): string {
  return `${dBPerKm} dB/km, detectors ${(100 * efficiency).toPrecision(3)} %, dark counts ${darkCount}, flip ${(100 * flip).toPrecision(2)} %, f = ${f}, ε = ${epsSec}; settings optimised`;
}

/** 1e9 → `10⁹`, 3e8 → `300000000`. */
const powerOfTen = (value: number): string =>
  Number.isInteger(Math.log10(value)) ? `10${superscript(Math.log10(value))}` : String(value);

const shortExponent = (value: number): string => value.toExponential().replace('e+', 'e');

/** Searches the mean photon number over decades, since without decoys it falls with the transmittance. */
function bestMean(rate: (mean: number) => number): { mean: number; value: number } {
  let best = { mean: 1, value: 0 };
  const consider = (mean: number): void => {
    const value = rate(mean);
    if (value > best.value) best = { mean, value };
  };
  for (let decade = -7; decade <= 0.2; decade += 0.1) consider(10 ** decade);
  for (let width = 1.25; width > 1.001; width = Math.sqrt(width))
    for (const mean of [best.mean * width, best.mean / width]) consider(mean);
  return best;
}

interface DecoySetting {
  intensities: PerIntensity;
  probabilities: PerIntensity;
  keyBasis: number;
}

const DECOY_START: number[] = [0.5, 0.2, 0.6, 0.6, 0.85];
const DECOY_BOX: [number, number][] = [
  [0.15, 1], // signal
  [0.02, 0.9], // decoy, as a fraction of the signal
  [0.05, 0.99], // probability of the signal
  [0.05, 0.95], // probability of the decoy among the rest
  [0.5, 0.995], // probability of the key basis
];

function toSetting([signal = 0, decoy = 0, pSignal = 0, pDecoy = 0, keyBasis = 0]: readonly number[]): DecoySetting {
  const rest = 1 - pSignal;
  return {
    intensities: [signal, signal * decoy, VACUUM],
    probabilities: [pSignal, rest * pDecoy, rest * (1 - pDecoy)],
    keyBasis,
  };
}

/** The best setting, starting from the last point's and from a fresh one. */
function bestDecoys(length: (setting: DecoySetting) => number, last: readonly number[]): { point: number[]; value: number } {
  const search = (start: readonly number[]): { point: number[]; value: number } =>
    maximise((point) => length(toSetting(point)), start, DECOY_BOX);
  const [warm, fresh] = [search(last), search([0.45, 0.25, 0.3, 0.7, 0.7])];
  return warm.value >= fresh.value ? warm : fresh;
}

function bestTagged(length: (keyBasis: number, mean: number) => number): number {
  const { mean } = bestMean((candidate) => length(0.8, candidate));
  const from = [0.8, Math.log10(mean)];
  return maximise(([keyBasis = 0, decade = 0]) => length(keyBasis, 10 ** decade), from, [
    [0.5, 0.995],
    [-7, 0.2],
  ]).value;
}
