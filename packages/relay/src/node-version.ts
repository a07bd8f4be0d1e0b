import { StartError } from './start-error.ts';

/** As `engines` of the package says. */
export const OLDEST_NODE = '22.14';

/**
 * Refuses a Node that is too old, before anything is opened: there the SQLite driver (better-sqlite3 13) ends the process with a
 * segmentation fault instead of an error.
 *
 * @throws {StartError} with what to do.
 */
export function checkNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new StartError(
    `The relay needs Node ${OLDEST_NODE} or newer, and this is Node ${version}. Install a newer one from https://nodejs.org (24 has long-term support) and start again.`,
  );
}
