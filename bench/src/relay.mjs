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

async function slowReader() {
  const server = await startServer('wal');
  const driver = startDriver();
  try {
    await driver.do('open', { url: server.url, kind: 'wal', rooms: 1, size: 2 });
    const before = server.rss();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, server.rss() - before);
    }, 50);
    const { offered } = await driver.do('stopReading', { payload: 65_536, total: 234 * 2 ** 20 });
    clearInterval(watch);
    return { offeredMiB: offered / 2 ** 20, growthMiB: most / 2 ** 20 };
  } finally {
    driver.stop();
    await server.stop();
  }
}

/** What connections cost beyond the first fifth of them, when code is compiled and the heap has its size. */
async function idle(kind, connections) {
  const server = await startServer(kind);
  const driver = startDriver();
  const open = (count) => driver.do('open', { url: server.url, kind, rooms: count / 2, size: 2 });
  try {
    await open(connections / 5);
    const [rss, cpu] = [server.rss(), server.cpu()];
    const more = (connections * 4) / 5;
    await open(more);
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

/** Prints the table and returns the figures. @param {{ only?: string[], rounds?: number }} options */
export async function run({ only, rounds = ROUNDS } = {}) {
  const wanted = (name) => !only || only.includes(name);
  const results = {};
  if (wanted('throughput')) results.throughput = await compareThroughput(rounds);
  if (wanted('latency')) {
    results.latency = {};
    for (const kind of ['bare', 'memory', 'wal']) results.latency[kind] = await latency(kind);
    const { bare } = results.latency;
    for (const [kind, { p50, p99 }] of Object.entries(results.latency)) {
      console.log(
        `latency ${kind.padEnd(7)} p50 ${p50.toFixed(2)} ms (${(p50 / bare.p50).toFixed(2)}×)  p99 ${p99.toFixed(2)} ms (${(p99 / bare.p99).toFixed(2)}×)`,
      );
    }
  }
  if (wanted('slow')) {
    results.slowReader = await slowReader();
    const { offeredMiB, growthMiB } = results.slowReader;
    console.log(`slow reader: ${offeredMiB.toFixed(0)} MiB offered, relay grew by ${growthMiB.toFixed(1)} MiB (at most 32)`);
  }
  if (wanted('idle')) {
    results.idle = {};
    for (const kind of ['bare', 'wal']) {
      const measured = await idle(kind, 10_000);
      results.idle[kind] = measured;
      console.log(
        `idle ${kind.padEnd(5)} ${measured.connections} connections: ${measured.kibEach.toFixed(1)} KiB each, ${measured.connectsPerCpuSecond.toFixed(0)} connects a processor second`,
      );
    }
  }
  if (wanted('reconnect')) {
    results.reconnect = await comeBack(5000);
    console.log(`${results.reconnect.clients} clients came back in ${results.reconnect.seconds.toFixed(2)} s (within 10)`);
  }
  return results;
}

async function compareThroughput(rounds) {
  const kinds = ['bare', 'memory', 'wal', 'fsync'];
  const table = [];
  for (const [column, shape] of SHAPES.entries()) {
    const samples = Object.fromEntries(kinds.map((kind) => [kind, []]));
    // In turn, so that what else the machine does falls on all of them.
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) if (kind === 'bare' || TARGETS[kind][column]) samples[kind].push(await throughput(kind, shape));
    }
    const bare = median(samples.bare);
    const row = { room: shape.size, payload: shape.payload, bare: Math.round(bare) };
    for (const kind of kinds.slice(1)) {
      if (samples[kind].length === 0) continue;
      const ratio = median(samples[kind]) / bare;
      row[kind] = { ratio, target: TARGETS[kind][column], met: ratio >= TARGETS[kind][column] };
    }
    table.push(row);
    const cells = kinds
      .slice(1)
      .flatMap((kind) => (row[kind] ? [`${kind} ${row[kind].ratio.toFixed(2)} (${row[kind].target})`] : []));
    console.log(
      `room of ${String(shape.size).padEnd(3)}${String(shape.payload).padEnd(5)}B  bare ${row.bare}/s  ${cells.join('  ')}`,
    );
  }
  return table;
}
