import { execFileSync, fork } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, postgres, postgresFolder, redis, redisBinary } from '../../scripts/engines.mjs';
import { familySeconds, startDriver, startServer } from './_relay-processes.mjs';

/**
 * Two relays with many rooms in which nothing happens, and a database that is some milliseconds away: who is cut though nothing is wrong, and
 * what an idle room costs. Sizes are set by the environment:
 *
 * - QSEC2_CLUSTER_ROOMS: rooms of both relays together
 * - QSEC2_CLUSTER_MEMBERS: members of a room, who are at the relays in turn
 * - QSEC2_CLUSTER_DELAY_MS: round trip to the database
 * - QSEC2_CLUSTER_MINUTES: for how long the rooms are idle
 * - QSEC2_CLUSTER_RELAY: the `cli.js` of another build of the relay, to compare with
 */
export const PARTS = ['redis', 'postgres'];

const env = process.env;
const number = (name, otherwise) => Number(env[`QSEC2_CLUSTER_${name}`] ?? otherwise);
const DELAY_MS = number('DELAY_MS', 2);
const MINUTES = number('MINUTES', 1);
const MEMBERS = number('MEMBERS', 2);
/** Without a number: those at which a relay that sweeps every room each second was seen to cut healthy members. */
const ROOMS = { redis: number('ROOMS', 5200), postgres: number('ROOMS', 1200) };
const RELAYS = 2;
const LOOK_MS = 5000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const DATABASES = {
  redis: {
    found: redisBinary,
    make: redis,
    relay: (url) => ({ RELAY_REDIS_URL: url }),
    /** Commands since its start, those of scripts included; how many scripts, and their time. */
    async commands({ port }) {
      const info = await askRedis(port, 'INFO commandstats');
      let [all, scripts, microseconds] = [0, 0, 0];
      for (const [, name, calls, usec] of info.matchAll(/^cmdstat_(\S+?):calls=(\d+),usec=(\d+)/gm)) {
        all += Number(calls);
        if (!/^eval/.test(name)) continue;
        // The time of a script is that of its commands as well.
        scripts += Number(calls);
        microseconds += Number(usec);
      }
      return { all, scripts, microseconds };
    },
  },
  postgres: {
    found: postgresFolder,
    make: (options) => postgres({ ...options, settings: ['-c', 'max_connections=50', '-c', 'fsync=off'] }),
    relay: (url) => ({ RELAY_DATABASE_URL: url }),
    /** Transactions since its start. */
    async commands({ port }) {
      const query = 'SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database';
      const terms = ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'relay', '-At', '-c', query, 'postgres'];
      return { all: Number(execFileSync(join(postgresFolder(), 'psql'), terms, { encoding: 'utf8' })) };
    },
  },
};

export async function run({ only = PARTS, save }) {
  const results = {};
  for (const part of only) {
    if (!DATABASES[part].found()) {
      console.log(`${part} is not installed`);
      continue;
    }
    results[part] = await idle(part, ROOMS[part]);
    save(results);
  }
  return results;
}

async function idle(kind, rooms) {
  const { make, relay, commands } = DATABASES[kind];
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-cluster-'));
  // PostgreSQL runs as somebody else when this is run by root, and has to get to its own folder.
  chmodSync(folder, 0o711);
  const port = await freePort();
  const engine = make({ folder: join(folder, kind), port });
  const database = await engine.start();
  const network = await startNetwork(port);
  const closing = [() => stop(database), () => network.stop()];
  try {
    const settings = {
      ...relay(engine.url.replace(`:${port}`, `:${network.port}`)),
      RELAY_PEPPER: 'one pepper for all relays of this measurement',
      RELAY_MAX_ROOMS: '1000000',
      RELAY_LOG_LEVEL: 'warn',
    };
    const cli = env.QSEC2_CLUSTER_RELAY;
    const servers = [];
    const drivers = [];
    for (let i = 0; i < RELAYS; i++) {
      servers.push(await startServer('fsync', { env: settings, alone: false, ...(cli && { cli }) }));
      closing.unshift(() => servers[i].stop());
      drivers.push(startDriver({ alone: false }));
      closing.unshift(() => drivers[i].stop());
    }
    const { run } = await drivers[0].do('make', { url: servers[0].url, kind, rooms, size: MEMBERS });
    console.log(`${kind}: ${rooms} rooms of ${MEMBERS} over ${RELAYS} relays, ${DELAY_MS} ms to the database`);
    for (let member = 0; member < MEMBERS; member++) {
      await Promise.all(
        drivers.map((driver, i) => {
          const its = Array.from({ length: rooms }, (_, room) => room).filter((room) => (room + member) % RELAYS === i);
          return driver.do('sit', { url: servers[i].url, kind, run, rooms: its, number: member });
        }),
      );
    }
    // What joining costs is over by then.
    await sleep(2000);
    const joined = await missing(drivers);
    const before = await figures(database, commands, port, servers);
    const began = performance.now();
    for (let last = 0; performance.now() - began < MINUTES * 60_000; ) {
      await sleep(LOOK_MS);
      const { cut } = await missing(drivers);
      if (cut !== last) console.log(`  ${Math.round((performance.now() - began) / 1000)} s: ${cut} cut`);
      last = cut;
    }
    const seconds = (performance.now() - began) / 1000;
    const after = await figures(database, commands, port, servers);
    const { cut, of } = await missing(drivers);
    const perRoom = (a, b) => (b - a) / seconds / rooms;
    const result = {
      rooms,
      membersOfARoom: MEMBERS,
      delayMs: DELAY_MS,
      seconds: Math.round(seconds),
      members: of,
      cutBefore: joined.cut,
      cut: cut - joined.cut,
      commandsPerRoomAndSecond: perRoom(before.commands.all, after.commands.all),
      ...(kind === 'redis' && {
        scriptsPerRoomAndSecond: perRoom(before.commands.scripts, after.commands.scripts),
        scriptMicrosecondsPerRoomAndSecond: perRoom(before.commands.microseconds, after.commands.microseconds),
      }),
      databaseMicrosecondsPerRoomAndSecond: perRoom(before.cpu, after.cpu) * 1e6,
      relayMicrosecondsPerRoomAndSecond: perRoom(before.relays, after.relays) * 1e6,
      relayMiB: servers.map((server) => Math.round(server.rss() / 2 ** 20)),
      metrics: await Promise.all(servers.map(({ url }) => heartbeats(url))),
    };
    console.log(result);
    return result;
  } finally {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

async function missing(drivers) {
  const counts = await Promise.all(drivers.map((driver) => driver.do('missing')));
  return { cut: sum(counts.map(({ cut }) => cut)), of: sum(counts.map(({ of }) => of)) };
}

async function figures(database, commands, port, servers) {
  return {
    commands: await commands({ port }),
    cpu: familySeconds(database.pid),
    relays: sum(servers.map((server) => server.cpu())),
  };
}

/** Lines of the relay's metrics about heartbeats and what it cut. */
async function heartbeats(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Object.fromEntries(
    [...text.matchAll(/^qsec2_relay_(\S*(?:heartbeat|cut)\S*) (.+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

function askRedis(port, command) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\nQUIT\r\n`));
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.once('end', () => resolve(text));
    socket.once('error', reject);
  });
}

async function startNetwork(port) {
  const script = join(dirname(fileURLToPath(import.meta.url)), '_slow-network.mjs');
  const child = fork(script, [`${port}`, `${DELAY_MS}`]);
  const { port: own } = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the slow network ended with ${code}`)));
  });
  return { port: own, stop: () => stop(child) };
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
