import { startDriver, startServer } from './_relay-processes.mjs';

/**
 * The relay against the simplest relay Socket.IO can be, in turn, in one run: what a second of the server's processor delivers,
 * and how long a frame takes. The server has one core, the driver another; medians of three.
 */

const ROUNDS = 3;
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
const MEASURED_SECONDS = 3;

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
    return await driver.do('latency', { payload: 256, rate: 2000, forMs: 3000 });
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
  for (let round = 0; round < rounds; round++) for (const kind of kinds) samples[kind].push(await measure(kind));
  return Object.fromEntries(kinds.map((kind) => [kind, medians(samples[kind])]));
}

const medians = (samples) =>
  Object.fromEntries(Object.keys(samples[0]).map((figure) => [figure, median(samples.map((sample) => sample[figure]))]));

/** What can be measured by itself: `npm run bench -- relay --only latency,idle`. */
export const PARTS = ['throughput', 'latency', 'slow', 'idle', 'reconnect', 'replay'];

/** Prints the table and returns the figures. @param {{ only?: string[], rounds?: number }} options */
export async function run({ only = PARTS, rounds = ROUNDS } = {}) {
  const results = {};
  if (only.includes('throughput')) results.throughput = await compareThroughput(rounds);
  if (only.includes('latency')) results.latency = await compareLatency(rounds);
  if (only.includes('slow')) {
    results.slowReader = await slowReader();
    const { offeredMiB, growthMiB, growthWhileReadMiB } = results.slowReader;
    const figure = `${offeredMiB.toFixed(0)} MiB offered, relay grew by ${growthMiB.toFixed(1)} MiB`;
    line('slow reader', figure, 'at most 32', growthMiB <= 32);
    console.log(`  while it read         relay grew by ${growthWhileReadMiB.toFixed(1)} MiB with the same traffic before`);
  }
  if (only.includes('idle')) results.idle = await compareIdle(rounds);
  if (only.includes('reconnect')) {
    results.reconnect = await comeBack(5000);
    const { clients, seconds } = results.reconnect;
    line('reconnect', `${clients} clients came back in ${seconds.toFixed(2)} s`, 'within 10', seconds <= 10);
  }
  if (only.includes('replay')) {
    results.replay = await replay();
    const { frames, framesPerSecond } = results.replay;
    const rate = `${frames} frames at ${Math.round(framesPerSecond)} a second`;
    line('replay', rate, 'at least 200000', framesPerSecond >= 200_000);
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

async function compareIdle(rounds) {
  const results = await inTurn(['bare', 'wal'], rounds, (kind) => idle(kind, 10_000));
  const { bare, wal } = results;
  console.log(`idle bare               ${bare.kibEach.toFixed(1)} KiB each`);
  line('idle wal', `${wal.kibEach.toFixed(1)} KiB each`, 'at most 16', wal.kibEach <= 16);
  const ratio = wal.connectsPerCpuSecond / bare.connectsPerCpuSecond;
  const figure = `${Math.round(wal.connectsPerCpuSecond)} a processor second, bare ${Math.round(bare.connectsPerCpuSecond)}: ${ratio.toFixed(2)}×`;
  line('connects, token checked', figure, 'at least 1.2×', ratio >= 1.2);
  return results;
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
