import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fail, say } from './console.mjs';
import { clear, isCutOff, missingPackages } from './installation.mjs';
import { ROOT, run } from './run.mjs';

/**
 * Brings a checkout to the state in which it can run: dependencies installed, packages built. Does only what is missing or stale,
 * which it knows from hashes of what each step reads.
 */

const STAMPS = join(ROOT, 'node_modules', '.qsec2');

/** The packages in the order they depend on each other, and what each build reads. */
const PACKAGES = [
  {
    name: 'sdk',
    inputs: ['packages/sdk/src', 'packages/sdk/package.json', 'packages/sdk/tsup.config.ts', 'tsconfig.base.json'],
    needs: [],
  },
  {
    name: 'widget',
    inputs: [
      'packages/widget/src',
      'packages/widget/scripts',
      'packages/widget/package.json',
      'packages/widget/stencil.config.ts',
      'examples/demo',
    ],
    needs: ['sdk'],
  },
  {
    name: 'relay',
    inputs: ['packages/relay/src', 'packages/relay/scripts', 'packages/relay/package.json', 'packages/relay/tsup.config.ts'],
    // It ships the widget's files.
    needs: ['sdk', 'widget'],
  },
];

export async function setUp({ only = PACKAGES.map(({ name }) => name) } = {}) {
  await install();
  const wanted = new Set(only.flatMap((name) => [...packageOf(name).needs, name]));
  for (const { name } of PACKAGES) if (wanted.has(name)) await build(name);
}

async function install() {
  const manifests = ['package.json', 'package-lock.json', '.npmrc', ...workspaceManifests()];
  const stamp = fingerprint(manifests);
  if (isCutOff()) {
    say('An installation was cut off before its end: beginning it again …');
    for (const folder of ['.', ...workspaces()]) rmSync(join(ROOT, folder, 'node_modules'), { recursive: true, force: true });
  } else if (existsSync(join(ROOT, 'node_modules'))) {
    const missing = missingPackages();
    if (isFresh('install', stamp) && missing.length === 0) return;
    say(
      missing.length > 0
        ? `Installing what is missing, not whole or of another version: ${few(missing)} …`
        : 'Checking the dependencies …',
    );
    clear(missing);
  } else say('Installing dependencies (the first time takes a minute) …');
  // Everything is built again with what is installed now; and who is interrupted begins again.
  rmSync(STAMPS, { recursive: true, force: true });
  // The lock file is followed and never written. Not `npm ci`: it refuses a lock file without the binaries of every other platform,
  // and a registry mirror that lacks some of them makes such files.
  const { code } = await npm(['install', '--no-save', '--no-audit', '--no-fund', '--include=dev', '--loglevel=error']);
  if (code !== 0)
    fail('npm could not install the dependencies; what went wrong stands above.', 'Check the network and try again.');
  const missing = missingPackages();
  if (missing.length > 0) {
    fail(
      `npm installed not everything that package-lock.json asks for: ${few(missing)}.`,
      'Look for settings that leave packages out (npm config list), such as "omit" or "os", and try again.',
    );
  }
  markFresh('install', stamp);
}

/** The first few of a list, and how many more. */
const few = (list) => (list.length > 5 ? `${list.slice(0, 5).join(', ')} and ${list.length - 5} more` : list.join(', '));

/** npm, with words where there is none. */
const npm = (args, options) =>
  run('npm', args, options).catch(({ message }) =>
    fail(`npm could not be started (${message}).`, 'Install it: it comes with Node from https://nodejs.org.'),
  );

async function build(name) {
  const stamp = stampOf(name);
  if (existsSync(join(ROOT, 'packages', name, 'dist')) && isFresh(name, stamp)) return;
  say(`Building @qsec2/${name} …`);
  // A build that is cut off is begun again.
  rmSync(join(STAMPS, name), { force: true });
  const { code, output } = await npm(['run', 'build', '--workspace', `packages/${name}`], { quiet: true });
  if (code !== 0) fail(`Building @qsec2/${name} failed:\n${output}`);
  markFresh(name, stamp);
}

function stampOf(name) {
  const { inputs, needs } = packageOf(name);
  return fingerprint([...inputs, 'package-lock.json', ...needs.flatMap((need) => packageOf(need).inputs)]);
}

const packageOf = (name) => PACKAGES.find((entry) => entry.name === name);

const workspaces = () => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).workspaces;

const workspaceManifests = () => workspaces().map((folder) => join(folder, 'package.json'));

/** A hash over files, folders (every file below) and plain words. */
function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const path = join(ROOT, input);
    if (!existsSync(path)) {
      hash.update(input);
      continue;
    }
    for (const file of filesOf(path)) hash.update(relative(ROOT, file)).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function filesOf(path) {
  try {
    return readdirSync(path, { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => (entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)]));
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
}

const isFresh = (step, stamp) => existsSync(join(STAMPS, step)) && readFileSync(join(STAMPS, step), 'utf8') === stamp;

function markFresh(step, stamp) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, step), stamp);
}
