import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { fail, say } from './console.mjs';
import { freePort, postgres, redis } from './engines.mjs';
import { ROOT } from './run.mjs';
import { setUp } from './setup.mjs';

/**
 * `npm run cluster -- redis | postgres`: several relays that share their rooms, with their database, on this machine. What ends by itself,
 * or is killed, is started again, as a supervisor would. Ctrl+C ends everything. `RELAY_…` variables reach the relays.
 */

const ENGINES = { redis, postgres };
const AGAIN_MS = 500;
const USAGE = 'npm run cluster -- redis | postgres [--relays 2] [--port 5001] [--data FOLDER] [--relay cli.js]';

const { kind, relays, port, data, relay } = readArguments();
if (relay === undefined) await setUp({ only: ['relay'] });
const folder = data === undefined ? mkdtempSync(join(tmpdir(), 'qsec2-cluster-')) : resolve(data);
mkdirSync(folder, { recursive: true });
// PostgreSQL runs as somebody else when this is run by root, and has to get to its own folder.
chmodSync(folder, 0o711);

let ending = false;
/** What runs, by name, and what is about to. */
const running = new Map();
const starting = new Map();

const engine = makeEngine(await freePort());
await keep(kind, startEngine);
const shared = relaySettings(engine.url);
const ports = port === 0 ? await freePorts(relays) : Array.from({ length: relays }, (_, i) => port + i);
await Promise.all(ports.map((own, i) => keep(`relay-${i + 1}`, () => startRelay(own))));
say(`${relays} relays share their rooms in ${kind}. Any of them serves anyone. Ctrl+C stops them.`);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void end());

function readArguments() {
  const options = { relays: { type: 'string' }, port: { type: 'string' }, data: { type: 'string' }, relay: { type: 'string' } };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [kind, ...rest] = positionals;
    if (!Object.hasOwn(ENGINES, kind ?? '') || rest.length > 0) fail('Which database holds the rooms?', USAGE);
    return {
      kind,
      relays: wholeNumber('--relays', values.relays ?? '2', 1, 16),
      port: wholeNumber('--port', values.port ?? '5001', 0, 65_000),
      data: values.data,
      relay: values.relay,
    };
  } catch (error) {
    return fail(error.message, USAGE);
  }
}

function wholeNumber(option, text, min, max) {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max) fail(`${option} has to be a whole number, ${min} to ${max}.`, USAGE);
  return number;
}

function makeEngine(port) {
  try {
    return ENGINES[kind]({ folder: join(folder, kind), port });
  } catch (error) {
    return fail(error.message);
  }
}

function relaySettings(url) {
  return {
    RELAY_PEPPER: pepper(),
    // Sealed files: a member may fetch from one relay what another one took.
    RELAY_DATA_DIR: join(folder, 'files'),
    ...(kind === 'redis' ? { RELAY_REDIS_URL: url } : { RELAY_DATABASE_URL: url }),
  };
}

/** The same for all, and the same at the next start on the same folder. */
function pepper() {
  const file = join(folder, 'pepper');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

async function startRelay(own) {
  const cli = relay ?? join(ROOT, 'packages/relay/dist/cli.js');
  const child = spawn(process.execPath, [cli, 'serve'], {
    env: {
      RELAY_HOST: '127.0.0.1',
      // With Redis the database keeps the event log: one for each relay.
      RELAY_DATABASE_URL: `sqlite:${join(folder, `relay-${own}.db`)}`,
      ...process.env,
      ...shared,
      PORT: `${own}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl+C reaches this script alone: the relays drain first, the database ends last.
    detached: true,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the relay ended with ${signal ?? code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, url] = /listens on (\S+)/.exec(line) ?? [];
      if (url) resolve({ child, url });
      else console.log(line);
    });
  });
}

async function startEngine() {
  return { child: await engine.start(), url: engine.url };
}

/** Starts something, and starts it again whenever it ends. */
async function keep(name, start) {
  let child;
  try {
    const attempt = start();
    starting.set(name, attempt);
    const up = await attempt;
    child = up.child;
    console.log(`${name}  ${up.url}  process ${child.pid}`);
  } catch (error) {
    if (!ending) console.error(`${name} could not be started: ${error.message}`);
    // The first time nothing is gained by trying again.
    if (!running.has(name)) return end(1);
  }
  running.set(name, child);
  if (child?.exitCode === null && child.signalCode === null) child.once('exit', again);
  else again();

  function again(code, signal) {
    if (ending) return;
    if (child) console.log(`${name}  ended with ${signal ?? code}`);
    setTimeout(() => {
      if (!ending) void keep(name, start);
    }, AGAIN_MS);
  }
}

/** The relays drain, then the database ends. */
async function end(code = 0) {
  if (ending) return;
  ending = true;
  await Promise.allSettled(starting.values());
  const { [kind]: database, ...nodes } = Object.fromEntries(running);
  await Promise.all(Object.values(nodes).map((child) => stop(child, 'SIGTERM')));
  await stop(database, engine.farewell);
  if (data === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  process.exit(code);
}

async function stop(child, signal) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

async function freePorts(count) {
  const found = [];
  while (found.length < count) found.push(await freePort());
  return found;
}
