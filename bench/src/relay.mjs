import { startDriver, startServer } from './_relay-processes.mjs';

/**
 * The relay against the simplest relay Socket.IO can be, in turn, in one run: what a second of the server's processor delivers,
 * and how long a frame takes. The server has one core, the driver another; medians of three.
 */

const ROUNDS = 3;
/** A slow machine gets fewer: no round begins after so long. */
const ENOUGH_MS = 60_000;
export const SHAPES = [
  { size: 2, payload: 256, rooms: 50 },
  { size: 2, payload: 4096, rooms: 50 },
  { size: 10, payload: 256, rooms: 10 },
  { size: 10, payload: 4096, rooms: 10 },
];
/** At least so many times what bare Socket.IO delivers; undefined where nothing is promised. */
const TARGETS = {
  memory: [2, 1.5, 5, 4.5],
  wal: [1, 0.5, 4, 2],
  fsync: [0.8, undefined, 2.5, undefined],
};
const WINDOW = 16;
const MIB = 2 ** 20;
/** Seconds of the server's processor: what it compiles at first would count for much in a short run, and more for who is fast. */
const WARM_UP_SECONDS = 2;
const MEASURED_SECONDS = 2;
/** Milliseconds of sending before the times count: the compiler and the first collections of garbage are over by then. */
const WARM_UP_MS = 4000;
const TIMED_MS = 4000;

/** Members who connect and stay. */
const IDLE = 10_000;
const CONNECTS = 2500;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Deliveries for a second of the server's processor. */
export async function throughput(kind, { size, payload, rooms }) {
  const server = await startServer(kind);
  const driver = startDriver();
  try {
    await driver.do('open', { url: server.url, kind, rooms, size });
    await driver.do('saturate', { payload, window: WINDOW });
    await server.uses(WARM_UP_SECONDS);
    const before = await driver.do('count');
    const seconds = await server.uses(MEASURED_SECONDS);
    const after = await driver.do('count');
    return (after.deliveries - before.deliveries) / seconds;
  } finally {
    driver.stop();
    await server.stop();
  }
}

async function latency(kind) {
  const server = await startServer(kind);
  const driver = startDriver();
  try {
    await driver.do('open', { url: server.url, kind, rooms: 50, size: 2 });
    return await driver.do('latency', { payload: 256, rate: 2000, warmUpMs: WARM_UP_MS, forMs: TIMED_MS });
  } finally {
    driver.stop();
    await server.stop();
  }
}

/** What a member costs that stops reading, beyond what the same traffic takes while it reads. */
async function slowReader() {
  const server = await startServer('wal');
  const driver = startDriver();
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, server.rss());
  }, 20);
  try {
    await driver.do('open', { url: server.url, kind: 'wal', rooms: 1, size: 2 });
    const before = server.rss();
    const sizes = { payload: 65_536, total: 234 * MIB };
    await driver.do('sendTo', { ...sizes, reading: true });
    const whileRead = most;
    const { offered } = await driver.do('sendTo', { ...sizes, reading: false });
    const [growthMiB, growthWhileReadMiB] = [(most - whileRead) / MIB, (whileRead - before) / MIB];
    return { offeredMiB: offered / MIB, growthMiB, growthWhileReadMiB };
  } finally {
    clearInterval(watch);
    driver.stop();
    await server.stop();
  }
}

/**
 * What connections cost that show a token and take a seat in a room that exists, beyond the first fifth of them, when code is compiled and
 * the heap has its size.
 */
async function idle(kind, connections) {
  const server = await startServer(kind);
  const driver = startDriver();
  const options = { url: server.url, kind, size: 2 };
  const more = (connections * 4) / 5;
  try {
    await driver.do('open', { ...options, rooms: (connections - more) / 2 });
    const rss = server.rss();
    const { run } = await driver.do('make', { ...options, rooms: more / 2 });
    const cpu = server.cpu();
    await driver.do('enter', { ...options, rooms: more / 2, run });
    const used = server.cpu() - cpu;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return { connections, kibEach: (server.rss() - rss) / more / 1024, connectsPerCpuSecond: more / used };
  } finally {
    driver.stop();
    await server.stop();
  }
}

async function comeBack(clients) {
  const server = await startServer('wal');
  const driver = startDriver();
  try {
    await driver.do('open', { url: server.url, kind: 'wal', rooms: clients / 2, size: 2 });
    const { ms } = await driver.do('reconnect');
    return { clients, seconds: ms / 1000 };
  } finally {
    driver.stop();
    await server.stop();
  }
}

/** Members who were away are sent what their rooms have in the mailbox. */
async function replay() {
  const rooms = 20;
  const frames = 10_000;
  const server = await startServer('wal');
  const driver = startDriver();
  try {
    await driver.do('open', { url: server.url, kind: 'wal', rooms, size: 2 });
    const { each } = await driver.do('fill', { payload: 256, frames });
    const { ms, delivered } = await driver.do('replay', { each });
    return { frames: delivered, framesPerSecond: (delivered / ms) * 1000 };
  } finally {
    driver.stop();
    await server.stop();
  }
}

/** Medians of what runs in turn, so that what else the machine does falls on all kinds. */
async function inTurn(kinds, rounds, measure) {
  const samples = Object.fromEntries(kinds.map((kind) => [kind, []]));
  const began = performance.now();
  for (let round = 0; round < rounds && (round === 0 || performance.now() - began < ENOUGH_MS); round++)
    for (const kind of kinds) samples[kind].push(await measure(kind));
  return Object.fromEntries(kinds.map((kind) => [kind, medians(samples[kind])]));
}

const medians = (samples) =>
  Object.fromEntries(Object.keys(samples[0]).map((figure) => [figure, median(samples.map((sample) => sample[figure]))]));

/**
 * Prints the table and returns the figures.
 *
 * @param {{ only?: string[], rounds?: number, save?: (results: object) => void }} options `save` is given what there is after each part
 */
export async function run({ only = PARTS, rounds = ROUNDS, save = () => {} } = {}) {
  const results = {};
  for (const part of PARTS) {
    if (!only.includes(part)) continue;
    results[RESULT_OF[part] ?? part] = await measures[part](rounds);
    save(results);
  }
  return results;
}

const line = (what, figure, target, met) => console.log(`${what.padEnd(24)}${figure} (${target})${met ? '' : '  MISSED'}`);

async function compareLatency(rounds) {
  const results = await inTurn(['bare', 'memory', 'wal'], rounds, latency);
  const { bare } = results;
  console.log(`latency bare            p50 ${bare.p50.toFixed(2)} ms, p99 ${bare.p99.toFixed(2)} ms`);
  for (const [kind, at50, at99] of [
    ['memory', 1, 1.5],
    ['wal', 2, 3],
  ]) {
    const { p50, p99 } = results[kind];
    const figure = `p50 ${p50.toFixed(2)} ms, ${(p50 / bare.p50).toFixed(2)}×; p99 ${p99.toFixed(2)} ms, ${(p99 / bare.p99).toFixed(2)}×`;
    line(`latency ${kind}`, figure, `at most ${at50}× and ${at99}×`, p50 <= at50 * bare.p50 && p99 <= at99 * bare.p99);
  }
  return results;
}

async function compareIdle() {
  const { bare, wal } = await inTurn(['bare', 'wal'], 1, (kind) => idle(kind, IDLE));
  console.log(`idle bare               ${bare.kibEach.toFixed(1)} KiB each`);
  line('idle wal', `${wal.kibEach.toFixed(1)} KiB each`, 'at most 16', wal.kibEach <= 16);
  return { bare, wal };
}

async function compareConnects(rounds) {
  const results = await inTurn(['bare', 'memory', 'wal'], rounds, (kind) => idle(kind, CONNECTS));
  const { bare, ...relay } = results;
  console.log(`connects bare           ${Math.round(bare.connectsPerCpuSecond)} a processor second`);
  for (const [kind, { connectsPerCpuSecond }] of Object.entries(relay)) {
    const ratio = connectsPerCpuSecond / bare.connectsPerCpuSecond;
    line(
      `connects ${kind}, token checked`,
      `  ${Math.round(connectsPerCpuSecond)}, ${ratio.toFixed(2)}×`,
      'at least 1.2×',
      ratio >= 1.2,
    );
  }
  return results;
}

async function checkSlowReader() {
  const result = await slowReader();
  const { offeredMiB, growthMiB, growthWhileReadMiB } = result;
  const figure = `${offeredMiB.toFixed(0)} MiB offered, relay grew by ${growthMiB.toFixed(1)} MiB`;
  line('slow reader', figure, 'at most 32', growthMiB <= 32);
  console.log(`  while it read         relay grew by ${growthWhileReadMiB.toFixed(1)} MiB with the same traffic before`);
  return result;
}

async function checkReconnect() {
  const result = await comeBack(5000);
  line('reconnect', `${result.clients} clients came back in ${result.seconds.toFixed(2)} s`, 'within 10', result.seconds <= 10);
  return result;
}

async function checkReplay() {
  const result = await replay();
  const rate = `${result.frames} frames at ${Math.round(result.framesPerSecond)} a second`;
  line('replay', rate, 'at least 200000', result.framesPerSecond >= 200_000);
  return result;
}

async function compareThroughput(rounds) {
  const table = [];
  for (const [column, shape] of SHAPES.entries()) {
    const kinds = ['memory', 'wal', 'fsync'].filter((kind) => TARGETS[kind][column] !== undefined);
    const { bare, ...relay } = await inTurn(['bare', ...kinds], rounds, async (kind) => ({
      rate: await throughput(kind, shape),
    }));
    const row = { room: shape.size, payload: shape.payload, bare: Math.round(bare.rate) };
    console.log(`room of ${shape.size}, ${shape.payload} B       bare ${row.bare} deliveries a processor second`);
    for (const kind of kinds) {
      const ratio = relay[kind].rate / bare.rate;
      const target = TARGETS[kind][column];
      row[kind] = { ratio, target, met: ratio >= target };
      line(`  ${kind}`, `${ratio.toFixed(2)}×`, `at least ${target}×`, ratio >= target);
    }
    table.push(row);
  }
  return table;
}

const measures = {
  throughput: compareThroughput,
  latency: compareLatency,
  slow: checkSlowReader,
  idle: compareIdle,
  connects: compareConnects,
  reconnect: checkReconnect,
  replay: checkReplay,
};
const RESULT_OF = { slow: 'slowReader' };

/** What can be measured by itself: `npm run bench -- relay --only latency,idle`. */
export const PARTS = Object.keys(measures);
