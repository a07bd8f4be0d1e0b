import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fail, say } from './console.mjs';
import { ROOT, run } from './run.mjs';

/**
 * Brings a checkout to the state in which it can run: dependencies installed, packages built. Does only what is missing or stale,
 * which it knows from hashes of what each step reads.
 */

const MIN_NODE = [20, 19];
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
  checkNode();
  await install();
  const wanted = new Set(only.flatMap((name) => [...packageOf(name).needs, name]));
  for (const { name } of PACKAGES) if (wanted.has(name)) await build(name);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  fail(
    `Node ${process.versions.node} is too old.`,
    `Install Node ${MIN_NODE.join('.')} or newer from https://nodejs.org and try again.`,
  );
}

async function install() {
  const manifests = ['package.json', 'package-lock.json', '.npmrc', ...workspaceManifests()];
  const stamp = fingerprint([...manifests, `node-${process.versions.modules}`]);
  if (isFresh('install', stamp)) return;
  say('Installing dependencies (the first time takes a minute or two) …');
  // The lock file is followed and never written. Not `npm ci`: it refuses a lock file without the binaries of every other platform,
  // and a registry mirror that lacks some of them makes such files.
  const { code } = await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    env: nodeHeaders(),
  });
  if (code !== 0) {
    fail(
      'npm could not install the dependencies; what went wrong stands above.',
      'Check the network. Where better-sqlite3 finds no prebuilt binary it needs Python 3, make and a C++ compiler (Debian: apt-get install python3 make g++).',
    );
  }
  markFresh('install', stamp);
}

/**
 * better-sqlite3 compiles from source where its prebuilt binary cannot be fetched, and node-gyp would then download Node's headers.
 * Where the system has them, it is told so.
 */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  const candidates = [process.env.npm_config_nodedir, prefix, '/usr', '/usr/local'];
  const found = candidates.find((dir) => dir && existsSync(join(dir, 'include', 'node', 'node.h')));
  return found ? { npm_config_nodedir: found } : {};
}

async function build(name) {
  const stamp = stampOf(name);
  if (existsSync(join(ROOT, 'packages', name, 'dist')) && isFresh(name, stamp)) return;
  say(`Building @qsec2/${name} …`);
  const { code, output } = await run('npm', ['run', 'build', '--workspace', `packages/${name}`], { quiet: true });
  if (code !== 0) fail(`Building @qsec2/${name} failed:\n${output}`);
  markFresh(name, stamp);
}

function stampOf(name) {
  const { inputs, needs } = packageOf(name);
  return fingerprint([...inputs, 'package-lock.json', ...needs.flatMap((need) => packageOf(need).inputs)]);
}

const packageOf = (name) => PACKAGES.find((entry) => entry.name === name);

function workspaceManifests() {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return workspaces.map((folder) => join(folder, 'package.json'));
}

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
  if (step === 'install') rmSync(STAMPS, { recursive: true, force: true });
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, step), stamp);
}
