import type { ParseArgsConfig } from 'node:util';

/** Where a command writes and what stops it: given from outside, so that it can run in a test as in a terminal. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether `err` is a terminal, where a progress line can be overwritten. */
  interactive: boolean;
  signal: AbortSignal;
}

/** 0: done. 1: ran, and the answer is no (a run aborted, a check failed). 2: the command line makes no sense. */
export type ExitCode = 0 | 1 | 2;

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  /** Its words, as typed: `bb84 simulate`. */
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** What `--help` prints. */
  help: string;
  options: NonNullable<ParseArgsConfig['options']>;
  run(values: OptionValues, terminal: Terminal): Promise<ExitCode>;
}
