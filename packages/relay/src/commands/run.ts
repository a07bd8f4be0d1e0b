import { loadSettings, printSettings } from '../config/load.ts';
import type { RelaySettings } from '../config/settings.ts';
import { checkNode } from '../node-version.ts';

/** A command: takes its own arguments, returns the exit code. */
export type Command = (settings: RelaySettings, args: string[]) => Promise<number>;

/** Loaded when asked for: starting to serve does not wait for the rest. */
const COMMANDS: Record<string, [about: string, load: () => Promise<Command>]> = {
  serve: ['run the relay (the default)', async () => (await import('./serve.ts')).serve],
  check: [
    'see whether the settings, the data folder and the databases are usable',
    async () => (await import('./check.ts')).check,
  ],
  migrate: ['bring the schema of the database up to date', async () => (await import('./migrate.ts')).migrateCommand],
  logs: ['show the event log: --room ID, --follow, --json, --limit N', async () => (await import('./logs.ts')).logs],
  rooms: ['list the rooms: --json; or end one: --end ID', async () => (await import('./rooms.ts')).rooms],
  block: [
    'refuse an address or a network: ADDRESS, --for 1h; or no longer: --off',
    async () => (await import('./block.ts')).block,
  ],
  pepper: [
    'say where the pepper is; --new where it was lost: begin anew, without the rooms there are',
    async () => (await import('./pepper.ts')).pepper,
  ],
  token: ["make an operator's token: --for 10m", async () => (await import('./token.ts')).token],
  bench: ['measure what this machine commits: --seconds N, --json', async () => (await import('./bench.ts')).bench],
};

/** @returns the exit code. @throws {SettingError} naming the variable that cannot be used. @throws {StartError} on a Node that is too old. */
export async function runCommand(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = 'serve', ...rest] = args;
  if (first === '--help' || first === '-h' || first === 'help') {
    console.log(usage());
    return 0;
  }
  if (args.includes('--print-config')) {
    console.log(printSettings(loadSettings(env)));
    return 0;
  }
  const [, load] = COMMANDS[first] ?? [];
  if (!load) {
    console.error(`qsec2-relay: there is no command "${first}"\n\n${usage()}`);
    return 2;
  }
  checkNode();
  const command = await load();
  try {
    return await command(loadSettings(env), rest);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    console.error(`qsec2-relay ${first}: ${error.message}`);
    return 2;
  }
}

/** An option that does not exist, or lacks its value (`node:util` parseArgs), or a {@link UsageError}. */
function isUsageError(error: unknown): error is Error {
  return (
    error instanceof UsageError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  );
}

/** What was asked for cannot be understood. The message says why. */
export class UsageError extends Error {}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, [about]]) => `  ${name.padEnd(9)}${about}`);
  return `qsec2-relay [command] [--print-config]\n\n${lines.join('\n')}\n\nSettings come from the environment: PORT and RELAY_…`;
}
