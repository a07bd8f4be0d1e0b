import { createRequire } from 'node:module';
import { sep } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { StartError } from '../../start-error.ts';

const PACKAGE = 'better-sqlite3';
const require = createRequire(import.meta.url);

/** Which Node had which version of the interface for native modules (nodejs.org/en/about/previous-releases). */
const NODE_OF: Readonly<Record<string, number>> = { 108: 18, 115: 20, 127: 22, 137: 24 };

/**
 * Opens a file with the SQLite driver, which is loaded now: it brings a native module that has to be there, and for this Node.
 *
 * @throws {StartError} with the command that mends it when the driver cannot be loaded.
 */
export function openFile(file: string, options: BetterSqlite3.Options = {}): BetterSqlite3.Database {
  try {
    const Database = require(PACKAGE) as typeof BetterSqlite3;
    return new Database(file, options);
  } catch (cause) {
    const fault = driverFault(cause, installedIn());
    if (fault === undefined) throw cause;
    throw new StartError(fault, { cause });
  }
}

/** Where the driver's own files are, for the thread that loads it by itself. */
export const driverPath = (): string => require.resolve(PACKAGE);

/**
 * What is wrong with the driver, in words and commands; undefined when it is loaded and something else is wrong.
 *
 * @param folder the driver's own; undefined when there is none
 */
export function driverFault(error: unknown, folder: string | undefined): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'MODULE_NOT_FOUND' || folder === undefined) {
    if (code !== 'MODULE_NOT_FOUND') return undefined;
    return `The SQLite driver (${PACKAGE}) is not installed, or not whole. Run, where the relay is installed:\n  npm install`;
  }
  if (error.message.includes('Could not locate the bindings file')) {
    const why = 'its install script did not run: scripts are switched off (--ignore-scripts), or npm waits for an approval';
    return `The SQLite driver (${PACKAGE}) has no native module: ${why}. ${mend(folder, true)}`;
  }
  if (code !== 'ERR_DLOPEN_FAILED') return undefined;
  const [, built] = /NODE_MODULE_VERSION (\d+)/.exec(error.message) ?? [];
  if (built !== undefined && built !== process.versions.modules) {
    const of = NODE_OF[built] === undefined ? 'another version of Node' : `Node ${NODE_OF[built]}`;
    const now = `this is Node ${process.versions.node} (${process.versions.modules})`;
    return `The SQLite driver (${PACKAGE}) was built for ${of} (NODE_MODULE_VERSION ${built}); ${now}. ${mend(folder, false)}`;
  }
  const [reason] = error.message.split('\n');
  return `The native module of the SQLite driver (${PACKAGE}) does not load on this machine (${reason}). ${mend(folder, false)}`;
}

/** @param blocked its script was not allowed to run */
function mend(folder: string, blocked: boolean): string {
  const [root] = folder.split(`${sep}node_modules${sep}`) as [string];
  const run = (...lines: string[]) => `In ${root} run:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  if (folder.includes(`${sep}_npx${sep}`))
    return `Run:\n  rm -r ${root}\n  npx --allow-scripts=${PACKAGE} @qsec2/relay     # npm before 11.16: npx @qsec2/relay`;
  if (folder.includes(`${sep}.pnpm${sep}`)) return run(...(blocked ? ['pnpm approve-builds'] : []), `pnpm rebuild ${PACKAGE}`);
  if (!blocked) return run(`npm rebuild ${PACKAGE}`);
  return run(
    `npm approve-scripts ${PACKAGE}     # npm 11.16 and newer: writes "allowScripts" of package.json`,
    `npm rebuild ${PACKAGE} --ignore-scripts=false`,
  );
}

function installedIn(): string | undefined {
  try {
    return require.resolve(`${PACKAGE}/package.json`);
  } catch {
    return undefined;
  }
}
