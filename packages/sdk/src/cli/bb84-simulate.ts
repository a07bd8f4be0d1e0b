import {
  type AgreeOptions,
  agree,
  binaryEntropy,
  QsecError,
  type Report,
  type StageEvent,
  simulatedChannel,
  simulatedReceiver,
} from '../bb84/index.ts';
import type { Command, ExitCode, OptionValues, Terminal } from './command.ts';
import { grouped, percentage, table } from './format.ts';
import { LINK_HELP, LINK_OPTIONS, linkOptions } from './link-options.ts';
import { Progress } from './progress.ts';
import { choice, count, flag, given, number } from './values.ts';

const HELP = `qsec2 bb84 simulate: run BB84 over a simulated link and show what each stage leaves

Usage: qsec2 bb84 simulate [options]

Run:
  --pulses N           pulses to send, such as 32768, 1e6 or 2^20; at most 2^26 (32768)
  --runs N             do it N times and show the average (1)
  --method NAME        cascade or ldpc (cascade)
  --schedule NAME      of cascade: efficient or balanced (efficient)
  --z-probability P    of choosing the Z basis; other than 0.5, Z carries the key and X is compared (0.5)
  --sample P           share of the bits that are compared in public (0.3)
  --threshold P        error rate above which the run aborts (0.11)
  --bound NAME         serfling or tight: how unseen errors are bounded (tight)
  --eps-sec P          probability that secrecy fails (1e-9)
  --eps-cor P          probability that the keys differ unnoticed (1e-15)
  --json               print one JSON object

${LINK_HELP}

A simulated channel shows how a link behaves. It gives no physical security.
Exits 0 when a key was agreed, 1 when a run aborted, 2 when an option makes no sense.

Example: npx -p @qsec2/sdk qsec2 bb84 simulate --pulses 1e6 --km 20 --efficiency 0.2 --dark-count 1e-6 --flip 1%
`;

type Counts = StageEvent['counts'];

interface Outcome {
  /** What is known of the run, also of one that aborted. */
  counts: Counts & Pick<Partial<Report>, 'spans'>;
  failure: QsecError | undefined;
}

export const simulate: Command = {
  name: 'bb84 simulate',
  summary: 'run BB84 over a simulated link and show what each stage leaves',
  help: HELP,
  options: {
    ...LINK_OPTIONS,
    pulses: { type: 'string' },
    runs: { type: 'string' },
    method: { type: 'string' },
    schedule: { type: 'string' },
    'z-probability': { type: 'string' },
    sample: { type: 'string' },
    threshold: { type: 'string' },
    bound: { type: 'string' },
    'eps-sec': { type: 'string' },
    'eps-cor': { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(values, terminal) {
    const options = agreeOptions(values);
    const runs = count(values, 'runs', { high: 1e6 }) ?? 1;
    const outcomes = await runAll(options, runs, terminal);
    terminal.out(flag(values, 'json') ? `${JSON.stringify(asJson(outcomes, runs), null, 2)}\n` : asText(outcomes, runs));
    return exitCode(outcomes);
  },
};

const exitCode = (outcomes: readonly Outcome[]): ExitCode => (outcomes.some(({ failure }) => failure) ? 1 : 0);

function agreeOptions(values: OptionValues): AgreeOptions {
  const link = linkOptions(values);
  const [secrecy, correctness] = [number(values, 'eps-sec'), number(values, 'eps-cor')];
  return {
    channel: simulatedChannel(link),
    // The detectors have luck of their own, so their seed is another one.
    ...given('receiver', link.seed === undefined ? undefined : simulatedReceiver({ seed: ~link.seed })),
    ...given('pulses', count(values, 'pulses', { high: 2 ** 26 })),
    ...given('method', choice(values, 'method', ['cascade', 'ldpc'])),
    ...given('schedule', choice(values, 'schedule', ['efficient', 'balanced'])),
    ...given('zProbability', number(values, 'z-probability')),
    ...given('sampleFraction', number(values, 'sample')),
    ...given('threshold', number(values, 'threshold')),
    ...given('bound', choice(values, 'bound', ['serfling', 'tight'])),
    epsilon: { ...given('secrecy', secrecy), ...given('correctness', correctness) },
  };
}

async function runAll(options: AgreeOptions, runs: number, terminal: Terminal): Promise<Outcome[]> {
  const progress = new Progress(terminal);
  const outcomes: Outcome[] = [];
  for (let run = 1; run <= runs; run++) {
    outcomes.push(
      await runOne(options, terminal, (stage) =>
        progress.show(runs === 1 ? `${stage} done` : `run ${run} of ${runs}: ${stage} done`),
      ),
    );
    // Lets an interruption be heard between runs.
    await new Promise(setImmediate);
    terminal.signal.throwIfAborted();
  }
  progress.clear();
  return outcomes;
}

async function runOne(options: AgreeOptions, { signal }: Terminal, onStage: (stage: string) => void): Promise<Outcome> {
  let counts: Outcome['counts'] = {};
  try {
    const { report } = await agree({
      ...options,
      signal,
      onStage(event) {
        counts = { ...counts, ...event.counts };
        onStage(event.stage);
      },
    });
    return { counts: report, failure: undefined };
  } catch (error) {
    if (QsecError.is(error) && error.code !== 'INVALID_ARGUMENT') return { counts, failure: error };
    throw error;
  }
}

function asJson(outcomes: readonly Outcome[], runs: number): unknown {
  const objects = outcomes.map(({ counts, failure }) => ({
    outcome: failure ? 'aborted' : 'agreed',
    ...(failure && { error: { code: failure.code, message: failure.message, details: failure.details } }),
    report: counts,
  }));
  return runs === 1 ? objects[0] : { runs, agreed: outcomes.filter(({ failure }) => !failure).length, results: objects };
}

function asText(outcomes: readonly Outcome[], runs: number): string {
  const [first] = outcomes;
  const lines = [first?.counts.channel ?? '', ''];
  if (runs > 1) lines.push(`average of ${runs} runs`, '');
  const average = averageOf(outcomes);
  lines.push(table(rows(average), new Set([1, 2])), '');
  const failures = outcomes.flatMap(({ failure }) => failure ?? []);
  if (failures.length === 0) lines.push(verdictOf(average, runs));
  for (const failure of runs === 1 ? failures : [])
    lines.push(`Aborted, no key: ${failure.message} (${failure.code}).`, failure.remediation);
  if (runs > 1 && failures.length > 0)
    lines.push(`${failures.length} of ${runs} runs aborted without a key: ${tally(failures)}.`);
  return `${lines.join('\n')}\n`;
}

const verdictOf = ({ finalBits = 0 }: Counts, runs: number): string =>
  `${runs === 1 ? 'Agreed on' : 'Every run agreed on a key; on average'} ${grouped(Math.round(finalBits))} bits, the same on both sides. Simulated: no physical security.`;

function tally(failures: readonly QsecError[]): string {
  const codes = new Map<string, number>();
  for (const { code } of failures) codes.set(code, (codes.get(code) ?? 0) + 1);
  return [...codes].map(([code, times]) => `${code} ${times}×`).join(', ');
}

type Numeric = 'pulses' | 'detected' | 'sifted' | 'sampled' | 'rounds' | 'corrected' | 'disclosed' | 'finalBits';

/** Averages over the runs that got as far as each count; text and flags are the first run's. */
function averageOf(outcomes: readonly Outcome[]): Outcome['counts'] {
  const mean = (value: (counts: Counts) => number | undefined): number | undefined => {
    const known = outcomes.flatMap(({ counts }) => value(counts) ?? []).filter((number) => !Number.isNaN(number));
    return known.length === 0 ? undefined : known.reduce((sum, number) => sum + number, 0) / known.length;
  };
  const names: Numeric[] = ['pulses', 'detected', 'sifted', 'sampled', 'rounds', 'corrected', 'disclosed', 'finalBits'];
  const counts = Object.fromEntries(
    names.flatMap((name) => {
      const value = mean((known) => known[name]);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const rate = (name: 'z' | 'x' | 'combined' | 'upperBound'): number => mean(({ qber }) => qber?.[name]) ?? Number.NaN;
  const estimated = outcomes.some(({ counts: known }) => known.qber);
  const qber = { z: rate('z'), x: rate('x'), combined: rate('combined'), upperBound: rate('upperBound') };
  return { ...outcomes[0]?.counts, ...counts, ...(estimated && { qber }) };
}

function rows(counts: Outcome['counts']): string[][] {
  const { pulses = 0, detected, sifted, sampled, qber, decoy, method, rounds, corrected, disclosed, finalBits } = counts;
  const row = (stage: string, bits: number | undefined, note: string): string[][] =>
    bits === undefined ? [] : [[stage, grouped(Math.round(bits)), percentage(pulses === 0 ? Number.NaN : bits / pulses), note]];
  const kept = (sifted ?? 0) - (sampled ?? 0);
  const rates =
    qber &&
    `QBER ${percentage(qber.combined)} (Z ${percentage(qber.z)}, X ${percentage(qber.x)}), phase errors${decoy ? ' of single photons' : ''} below ${percentage(qber.upperBound)}`;
  // Over the errors that the key really had, which a sample only guesses.
  const f =
    disclosed !== undefined && corrected
      ? `, f = ${(disclosed / (kept * binaryEntropy(Math.min(1, corrected / kept)))).toFixed(3)}`
      : '';
  return [
    ['stage', 'bits', 'of pulses', ''],
    ...row('pulses', pulses, ''),
    ...row('detected', detected, ''),
    ...row('sifted', sifted, 'matching bases'),
    ...row('sampled', sampled, rates ?? ''),
    ...(sampled === undefined ? [] : row('raw key', kept, '')),
    ...row(
      'disclosed',
      disclosed,
      `${method ?? ''}: ${grouped(Math.round(corrected ?? 0))} errors corrected in ${Math.round(rounds ?? 0)} rounds${f}`,
    ),
    ...row('final', finalBits, ''),
  ];
}
