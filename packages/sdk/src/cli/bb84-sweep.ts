import { writeFile } from 'node:fs/promises';
import type { Command, OptionValues, Terminal } from './command.ts';
import { Progress } from './progress.ts';
import { sweepDistance } from './sweep/distance.ts';
import { sweepQber } from './sweep/qber.ts';
import { type Sweep, toCsv } from './sweep/series.ts';
import { toSvg } from './sweep/svg-plot.ts';
import { choice, counts, number, text, UsageError } from './values.ts';

const HELP = `qsec2 bb84 sweep: secret key rate against distance or error rate, from the finite-key formulas

Usage: qsec2 bb84 sweep --over distance|qber [options]

  --over WHAT          distance: bits per pulse with weak coherent pulses, with and without decoy states;
                       qber: bits per sifted bit with single photons
  --from A --to B --step S   the range, in km (0 to 250 in steps of 2) or as a rate (0 to 0.12 in steps of 0.002)
  --csv FILE           write the table there; - is standard output, which is the default without --svg
  --svg FILE           write a plot there
  --efficiency-ec F    bits disclosed by reconciliation over n·h(Q) (1.16)
  --eps-sec P          probability that secrecy fails (1e-9)
  --eps-cor P          probability that the keys differ unnoticed (1e-15)

Over distance:
  --pulses LIST        block sizes of the finite-key curves (1e9,1e11,1e13)
  --db-per-km A        attenuation (0.2)
  --efficiency P       of the detectors (0.1)
  --dark-count P       of one detector during a pulse (6e-7)
  --flip P             misalignment (0.005)

Over the error rate:
  --bits LIST          sifted bits of the finite-key curves (1e4,1e5,1e6)
  --sample P           share of them that is compared in public (0.3)

Counts of finite runs are what the link gives on average. Intensities, their probabilities and the bias of the bases are
optimised at every distance for every curve.

Example: npx -p @qsec2/sdk qsec2 bb84 sweep --over distance --csv rate.csv --svg rate.svg
`;

const FRACTION = { low: 0, high: 1 };
const MOST_POINTS = 10_000;

export const sweep: Command = {
  name: 'bb84 sweep',
  summary: 'secret key rate against distance or error rate, as a table and a plot',
  help: HELP,
  options: Object.fromEntries(
    [
      'over',
      'from',
      'to',
      'step',
      'csv',
      'svg',
      'efficiency-ec',
      'eps-sec',
      'eps-cor',
      'pulses',
      'db-per-km',
      'efficiency',
      'dark-count',
      'flip',
      'bits',
      'sample',
    ].map((name) => [name, { type: 'string' as const }]),
  ),
  async run(values, terminal) {
    const over = choice(values, 'over', ['distance', 'qber']);
    if (!over) throw new UsageError('--over is missing: distance or qber');
    const result = over === 'distance' ? distance(values, terminal) : qber(values);
    await write(result, values, terminal);
    return 0;
  },
};

function common(values: OptionValues) {
  return {
    efficiency: number(values, 'efficiency-ec', { low: 1, high: 10 }) ?? 1.16,
    epsSec: number(values, 'eps-sec', FRACTION) ?? 1e-9,
    epsCor: number(values, 'eps-cor', FRACTION) ?? 1e-15,
  };
}

function distance(values: OptionValues, terminal: Terminal): Sweep {
  refuse(values, ['bits', 'sample'], 'distance');
  const distances = range(values, { from: 0, to: 250, step: 2 }, 1e5);
  const progress = new Progress(terminal);
  const result = sweepDistance({
    ...common(values),
    link: {
      dBPerKm: number(values, 'db-per-km', { low: 0, high: 1e3 }) ?? 0.2,
      efficiency: number(values, 'efficiency', FRACTION) ?? 0.1,
      darkCount: number(values, 'dark-count', FRACTION) ?? 6e-7,
      flip: number(values, 'flip', { low: 0, high: 0.5 }) ?? 0.005,
    },
    distances,
    pulses: counts(values, 'pulses') ?? [1e9, 1e11, 1e13],
    onPoint: (done) => progress.show(`${done} of ${distances.length} distances`),
  });
  progress.clear();
  return result;
}

function qber(values: OptionValues): Sweep {
  refuse(values, ['pulses', 'db-per-km', 'efficiency', 'dark-count', 'flip'], 'qber');
  return sweepQber({
    ...common(values),
    rates: range(values, { from: 0, to: 0.12, step: 0.002 }, 0.5),
    blocks: counts(values, 'bits') ?? [1e4, 1e5, 1e6],
    sample: number(values, 'sample', FRACTION) ?? 0.3,
  });
}

function refuse(values: OptionValues, names: readonly string[], over: string): void {
  const misplaced = names.find((name) => values[name] !== undefined);
  if (misplaced) throw new UsageError(`--${misplaced} means nothing in a sweep over ${over}`);
}

function range(values: OptionValues, { from, to, step }: Record<'from' | 'to' | 'step', number>, most: number): number[] {
  const low = number(values, 'from', { low: 0, high: most }) ?? from;
  const high = number(values, 'to', { low: 0, high: most }) ?? to;
  const by = number(values, 'step', { low: 0 }) ?? step;
  if (!(by > 0) || high < low) throw new UsageError(`--from ${low} --to ${high} --step ${by} is an empty range`);
  const points = Math.floor((high - low) / by + 1e-9) + 1;
  if (points > MOST_POINTS) throw new UsageError(`--step ${by} makes ${points} points, more than ${MOST_POINTS}`);
  return Array.from({ length: points }, (_, i) => Number((low + i * by).toPrecision(12)));
}

async function write(result: Sweep, values: OptionValues, terminal: Terminal): Promise<void> {
  const [csv, svg] = [text(values, 'csv'), text(values, 'svg')];
  if (svg !== undefined) await writeFile(svg, toSvg(result));
  if (csv !== undefined && csv !== '-') await writeFile(csv, toCsv(result));
  if (csv === '-' || (csv === undefined && svg === undefined)) terminal.out(toCsv(result));
}
