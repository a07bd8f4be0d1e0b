import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { installedChromium } from './chromium.mjs';
import { say } from './console.mjs';
import { postgresFolder, redisBinary } from './engines.mjs';
import { installedFirefox } from './firefox.mjs';
import { run } from './run.mjs';

/** What the tests need besides Node: found on this machine, or brought from Debian's packages where this is run by root. */

/** @typedef {{ name: string; found: () => boolean; packages: string[] }} Program */

/** @type {Program[]} */
const PROGRAMS = [
  { name: 'Chromium', found: () => installedChromium() !== undefined, packages: ['chromium', 'fonts-noto-color-emoji'] },
  { name: 'Firefox', found: () => installedFirefox() !== undefined, packages: ['firefox-esr'] },
  { name: 'Redis', found: () => redisBinary() !== undefined, packages: ['redis-server'] },
  { name: 'PostgreSQL', found: () => postgresFolder() !== undefined, packages: ['postgresql'] },
  { name: 'strace', found: () => spawnSync('strace', ['-V']).status === 0, packages: ['strace'] },
];

/**
 * Brings what is missing, as far as it can be brought here.
 *
 * @returns {Promise<{ name: string; packages: string[]; reason: string }[]>} what is missing still, and why
 */
export async function bringPrograms() {
  const missing = PROGRAMS.filter(({ found }) => !found());
  if (missing.length === 0) return [];
  const refused = await installFromDebian(missing);
  return PROGRAMS.filter(({ found }) => !found()).map(({ name, packages }) => ({
    name,
    packages,
    reason: refused ?? `apt-get installed ${packages.join(', ')}, and it is not where it is looked for`,
  }));
}

/** @returns {Promise<string | undefined>} why nothing was installed; undefined: it was */
async function installFromDebian(/** @type {Program[]} */ programs) {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return 'this is no Debian';
  if (process.getuid?.() !== 0) return 'only root installs packages';
  say(`Installing ${programs.map(({ name }) => name).join(', ')} for the tests, from Debian's packages …`);
  // Nothing is asked, and no service starts: tests start their own.
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, quiet: true };
  const steps = [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...programs.flatMap(({ packages }) => packages)],
  ];
  for (const args of steps) {
    const { code, output } = await run('apt-get', args, options);
    if (code !== 0) return `apt-get ${args[0]} failed: ${lastLines(output)}`;
  }
  return undefined;
}

const lastLines = (/** @type {string} */ output) => output.trim().split('\n').slice(-3).join(' / ');
