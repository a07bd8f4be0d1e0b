import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

/** Whether what npm installed is what the lock file asks for on this platform. */

/** npm writes it when it has put everything in place. */
const DONE = join('node_modules', '.package-lock.json');

/** @returns {boolean} whether an installation was begun here and never finished: some of its packages may be there in part */
export const isCutOff = (root = ROOT) => existsSync(join(root, 'node_modules')) && !existsSync(join(root, DONE));

/** @returns {string[]} folders of the packages that are not there, not whole, or of another version */
export function missingPackages(root = ROOT) {
  const ended = statSync(join(root, DONE), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(
      ([folder, entry]) => folder.includes('node_modules/') && isWanted(entry) && !isInstalled(join(root, folder), entry, ended),
    )
    .map(([folder]) => folder);
}

/** Takes away what is not whole, and npm's belief that it is there. */
export function clear(folders, root = ROOT) {
  for (const folder of folders) rmSync(join(root, folder), { recursive: true, force: true });
  rmSync(join(root, DONE), { force: true });
}

/** What is optional is left out elsewhere than on its own platform. */
function isWanted({ optional = false, os, cpu, libc }) {
  if (!optional) return true;
  if (!os && !cpu) return false;
  return fits(os, process.platform) && fits(cpu, process.arch) && fits(libc, libcHere());
}

function fits(list, value) {
  if (!list || value === undefined) return true;
  const listed = [list].flat();
  return listed.includes(value) || (listed.every((entry) => entry.startsWith('!')) && !listed.includes(`!${value}`));
}

/** @returns {'glibc' | 'musl' | undefined} undefined on what is no Linux */
function libcHere() {
  if (process.platform !== 'linux') return undefined;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

/** What changed after npm's end was being written when another npm was cut off: its `package.json` may be there before the rest. */
function isInstalled(path, { link = false, version }, ended) {
  if (link) return existsSync(path);
  try {
    return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).version === version && statSync(path).mtimeMs <= ended;
  } catch {
    // Not there, or written in part.
    return false;
  }
}
