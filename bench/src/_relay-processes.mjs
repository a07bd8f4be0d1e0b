import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');

/** Server on one core, driver on another, where the machine can do that. */
const canPin = cpus().length > 1 && spawnSync('taskset', ['-V']).status === 0;
const pinned = (core, command, args) => (canPin ? ['taskset', ['-c', `${core}`, command, ...args]] : [command, args]);
const TICKS = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString() || 100);

const GENEROUS = {
  RELAY_RATE_CONNECTIONS: '1000000',
  RELAY_RATE_CONTROL: '1000000',
  RELAY_RATE_FRAMES: '10000000',
  RELAY_RATE_BYTES: '1000GiB',
  RELAY_MAX_PER_ADDRESS: '100000',
  RELAY_MAX_CONNECTIONS: '100000',
  RELAY_LOG_LEVEL: 'error',
};

/** Fields of a process behind its name; undefined when it is no more. */
function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  } catch {
    return undefined;
  }
}

const secondsOf = (fields) => fields.reduce((sum, each) => sum + Number(each), 0) / TICKS;

/** Processor seconds a process has used so far, its threads included. */
const processorSeconds = (pid) => secondsOf(statOf(pid).slice(11, 13));

/** The same of a process and those it started, also of those that ended since. */
export function familySeconds(parent) {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = processes.map(statOf).filter((fields) => Number(fields?.[1]) === parent);
  return secondsOf([...statOf(parent).slice(11, 15), ...children.flatMap((fields) => fields.slice(11, 13))]);
}

/**
 * Starts a relay: `bare`, or the real one in a durability.
 *
 * @param more settings, another build of the relay, and whether it keeps to one core.
 */
export async function startServer(kind, { env: more = {}, cli = join(root, 'packages/relay/dist/cli.js'), alone = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-bench-'));
  const script = kind === 'bare' ? join(here, '_relay-bare.mjs') : cli;
  const env = {
    PATH: process.env.PATH,
    PORT: '0',
    RELAY_HOST: '127.0.0.1',
    RELAY_DATA_DIR: folder,
    RELAY_DATABASE_URL: `sqlite:${join(folder, 'relay.db')}`,
    RELAY_DURABILITY: kind === 'bare' ? 'memory' : kind,
    ...GENEROUS,
    ...more,
  };
  const [command, args] = alone ? pinned(0, process.execPath, [script]) : [process.execPath, [script]];
  const child = spawn(command, args, {
    env: kind === 'bare' ? { PATH: process.env.PATH } : env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, found] = /listens on (\S+)/.exec(line) ?? [];
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)));
  });
  const cpu = () => processorSeconds(child.pid);
  return {
    url,
    kind,
    cpu,
    /** Waits until it has used so many processor seconds more. @returns how many it were. */
    async uses(seconds) {
      const before = cpu();
      while (cpu() - before < seconds) await new Promise((resolve) => setTimeout(resolve, 5));
      return cpu() - before;
    },
    rss() {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.removeAllListeners('exit');
      child.once('exit', () => {});
      child.kill('SIGKILL');
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A process that plays all members. */
export function startDriver({ alone = true } = {}) {
  const script = ['--max-old-space-size=4096', join(here, '_relay-driver.mjs')];
  const [command, args] = alone ? pinned(1, process.execPath, script) : [process.execPath, script];
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return {
    /** Has the driver do something. */
    do(action, options = {}) {
      return new Promise((resolve, reject) => {
        child.once('message', ({ done, failed }) => {
          if (failed) reject(new Error(failed));
          else resolve(done);
        });
        child.send({ action, ...options });
      });
    },
    stop() {
      child.kill('SIGKILL');
    },
  };
}
