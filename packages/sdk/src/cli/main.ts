#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { QsecError } from '../errors.ts';
import { simulate } from './bb84-simulate.ts';
import { sweep } from './bb84-sweep.ts';
import type { Command, ExitCode, OptionValues, Terminal } from './command.ts';
import { doctor } from './etsi014-doctor.ts';
import { table } from './format.ts';
import { UsageError } from './values.ts';

const COMMANDS: readonly Command[] = [simulate, sweep, doctor];

const usage = (): string => `qsec2: BB84 quantum key distribution

Usage: qsec2 <command> [options]

${table(COMMANDS.map(({ name, summary }) => [`  ${name}`, summary]))}

npx -p @qsec2/sdk qsec2 <command> --help says what each takes.
`;

/** Runs one command line and says how the process is to exit. */
async function main(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const command = COMMANDS.find(({ name }) => name === words.slice(0, 2).join(' '));
  if (!command) return noCommand(words, terminal);
  try {
    const { values } = parseArgs({
      args: words.slice(2),
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      strict: true,
    });
    if (values.help === true) {
      terminal.out(command.help);
      return 0;
    }
    return await command.run(values as OptionValues, terminal);
  } catch (error) {
    return explain(error, command, terminal);
  }
}

function noCommand(words: readonly string[], terminal: Terminal): ExitCode {
  const asked = words.length === 0 || words.includes('--help') || words.includes('-h') || words[0] === 'help';
  if (asked) terminal.out(usage());
  else terminal.err(`qsec2: there is no command "${words.slice(0, 2).join(' ')}"\n\n${usage()}`);
  return asked ? 0 : 2;
}

/** An error a reader can act on is printed as such; any other one is a defect and keeps its stack. */
function explain(error: unknown, command: Command, terminal: Terminal): ExitCode {
  const { name } = command;
  if (terminal.signal.aborted) {
    terminal.err(`\nqsec2 ${name}: interrupted\n`);
    return 1;
  }
  if (error instanceof UsageError || QsecError.is(error, 'INVALID_ARGUMENT') || isParseError(error)) {
    terminal.err(
      `qsec2 ${name}: ${optionOf(error, command)}${(error as Error).message}\nTry: npx -p @qsec2/sdk qsec2 ${name} --help\n`,
    );
    return 2;
  }
  if (QsecError.is(error)) {
    terminal.err(`qsec2 ${name}: ${error.message} (${error.code})\n${error.remediation}\n`);
    return 1;
  }
  if (error instanceof Error && 'syscall' in error) {
    terminal.err(`qsec2 ${name}: ${error.message}\n`);
    return 1;
  }
  throw error;
}

/** Options that are named otherwise than the engine's arguments. */
const OPTION_OF: Readonly<Record<string, string>> = {
  'epsilon.secrecy': 'eps-sec',
  epsSec: 'eps-sec',
  'epsilon.correctness': 'eps-cor',
  epsCor: 'eps-cor',
  zProbability: 'z-probability',
  sampleFraction: 'sample',
};

/** The option that an argument of the engine was given by, to go before what the engine says of it. */
function optionOf(error: unknown, { options }: Command): string {
  const argument = QsecError.is(error) ? String(error.details.argument) : '';
  const option = OPTION_OF[argument] ?? argument;
  return Object.hasOwn(options, option) ? `--${option}: ` : '';
}

/** What node:util's parseArgs throws for options it does not know. */
const isParseError = (error: unknown): boolean =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');

const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort());
// A reader that closed the pipe, such as `head`, has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY === true,
  signal: interruption.signal,
});
