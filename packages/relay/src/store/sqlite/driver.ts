import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { StartError } from '../../start-error.ts';

const PACKAGE = 'better-sqlite3';
/** What its own script `build-release` does: what is built stands before what is shipped. */
const BUILD = 'npx node-gyp rebuild --release --force_build=1';
/** The platforms that its package brings a native module for. */
const SHIPPED = /^(linux|darwin|win32)-(x64|arm64)$/;
const require = createRequire(import.meta.url);

/**
 * Opens a file with the SQLite driver, which is loaded now: it brings a native module, which has to be there for this platform.
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
 * @param manifest the driver's own; undefined when there is none
 */
export function driverFault(
  error: unknown,
  manifest: string | undefined,
  platform = `${process.platform}-${process.arch}`,
): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_DLOPEN_FAILED') return undefined;
  if (manifest === undefined) {
    return `The SQLite driver (${PACKAGE}) is not installed. Run, where the relay is installed:\n  npm install`;
  }
  const folder = dirname(manifest);
  const [reason = ''] = error.message.split('\n');
  if (code === 'MODULE_NOT_FOUND' && (!reason.includes('better_sqlite3.node') || SHIPPED.test(platform))) {
    return `The SQLite driver (${PACKAGE}) is not installed whole. Remove ${folder} and run, where the relay is installed:\n  npm install`;
  }
  const wrong =
    code === 'MODULE_NOT_FOUND'
      ? `has no ready native module for ${platform}`
      : `has a native module that does not load on this machine (${reason})`;
  return `The SQLite driver (${PACKAGE}) ${wrong}. Build it, which takes Python 3, make and a C++ compiler. In ${folder} run:\n  ${BUILD}`;
}

function installedIn(): string | undefined {
  try {
    return require.resolve(`${PACKAGE}/package.json`);
  } catch {
    return undefined;
  }
}
