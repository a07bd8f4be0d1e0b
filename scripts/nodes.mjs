import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail, say } from './console.mjs';
import { ROOT, run } from './run.mjs';

/**
 * Other Nodes than the one at hand, from npm: `scripts/nodes/MAJOR` names the package of each platform and pins it with its hash. Not among
 * the workspace's dependencies: there its `node` would stand in front of the path of every script.
 */

/** Every line of Node that the SDK supports. */
export const MAJORS = [20, 22, 24, 26];

/** The one that the tools run on where the machine's is older than they need: the line with long-term support. */
const FOR_TOOLS = 24;

const folderOf = (major) => join(ROOT, 'scripts', 'nodes', String(major));
const read = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

/** @returns {string | undefined} path of the executable; undefined where it is not installed whole, or not the one that is asked for */
export function nodeOf(major) {
  const folder = folderOf(major);
  for (const [name, version] of Object.entries(read(folder, 'package.json').optionalDependencies)) {
    const installed = join(folder, 'node_modules', name);
    if (!existsSync(join(installed, 'package.json'))) continue;
    const node = join(installed, read(installed, 'package.json').bin.node);
    const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    if (stdout?.trim() === `v${version}`) return node;
  }
  return undefined;
}

/**
 * Brings one where it is missing.
 *
 * @returns {Promise<string | undefined>} why it could not be brought; undefined: it is there
 */
export async function bringNode(major) {
  if (nodeOf(major)) return undefined;
  const cwd = folderOf(major);
  // What is there is of another version, or was cut off while it was unpacked.
  rmSync(join(cwd, 'node_modules'), { recursive: true, force: true });
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await run('npm', args, { cwd, quiet: true });
  if (code !== 0) return output.trim();
  return nodeOf(major) ? undefined : `There is none for ${process.platform} ${process.arch}, or the registry has not got it.`;
}

/** Runs a script on the Node for the tools, in front of the path for everything that the script runs; ends as it ends. */
export async function runOnSupported(script, args) {
  const has = nodeOf(FOR_TOOLS) !== undefined;
  say(
    `The tools need Node ${read(ROOT, 'package.json').engines.node.slice(2)} and this is ${process.versions.node}: ` +
      `${has ? 'running' : 'bringing'} Node ${FOR_TOOLS} ${has ? 'from' : 'into'} scripts/nodes/${FOR_TOOLS}${has ? '.' : ' from npm …'}`,
  );
  const reason = await bringNode(FOR_TOOLS);
  if (reason) {
    fail(
      `npm could not bring Node ${FOR_TOOLS}: ${reason}`,
      `Check the network, or install Node ${FOR_TOOLS} from https://nodejs.org and try again.`,
    );
  }
  const node = nodeOf(FOR_TOOLS);
  const separator = process.platform === 'win32' ? ';' : ':';
  const child = spawn(node, [script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${dirname(node)}${separator}${process.env.PATH}`, NODE: node, npm_node_execpath: node },
  });
  // This process lives exactly as long as that one.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`Node ${FOR_TOOLS} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code)));
}
