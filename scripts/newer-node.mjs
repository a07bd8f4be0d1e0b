import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './run.mjs';

/**
 * A Node whose own cryptography has ML-KEM, for the known answers (e2e/vectors): from npm, pinned by a lock file of its own. Not among
 * the workspace's dependencies: its `node` would stand in front of the path of every script there, native modules included.
 */

const FOLDER = join(ROOT, 'e2e', 'newer-node');
const read = (...path) => JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8'));

/** @returns {string | undefined} path of the executable; undefined where it is not installed, or not the one that is asked for */
export function newerNode() {
  for (const [name, version] of Object.entries(read('package.json').optionalDependencies)) {
    if (!existsSync(join(FOLDER, 'node_modules', name, 'package.json'))) continue;
    const { bin, version: installed } = read('node_modules', name, 'package.json');
    if (installed === version) return join(FOLDER, 'node_modules', name, bin.node);
  }
  return undefined;
}

/**
 * Brings it where it is missing.
 * @returns {Promise<string | undefined>} what npm says, when it could not
 */
export async function bringNewerNode() {
  if (newerNode()) return undefined;
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await run('npm', args, { cwd: FOLDER, quiet: true });
  if (code !== 0) return output;
  return newerNode() ? undefined : `There is none for ${process.platform} ${process.arch}, or the registry has not got it.`;
}
