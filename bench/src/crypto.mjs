import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.mjs';

/** Speed of QS2: messages, handshakes, skipping, joining; in Node and in Chromium, beside what was set as target. */

const SOURCES = fileURLToPath(new URL('../../packages/sdk/src/protocol/', import.meta.url));
const WORKLOAD = fileURLToPath(new URL('_crypto-workload.mjs', import.meta.url));
const MODULES = ['content', 'identity', 'pair-channel', 'pairing', 'policy', 'random', 'sender-key'];

/** Field, what it is, target, whether more is better. */
const ROWS = [
  ['sentPerSecond', 'signed 1 KiB messages sealed a second', 5000, true],
  ['receivedPerSecond', 'signed 1 KiB messages opened a second', 5000, true],
  ['handshakeMs', 'handshake M1 to M5, both sides, without BB84, ms', 20, false],
  ['skipMs', 'a frame 2000 steps ahead, ms', 50, false],
  ['joinMs', 'eight members join, a member, without BB84, ms', 150, false],
];

/** The inner parts of the protocol and the workload, as one module. */
async function bundle(outfile) {
  const imports = MODULES.map((name, i) => `import * as m${i} from '${SOURCES}${name}.ts';`).join('\n');
  const contents = `${imports}
    export const protocol = { ${MODULES.map((_, i) => `...m${i}`).join(', ')} };
    export { measureCrypto } from '${WORKLOAD}';`;
  const skip = {
    name: 'skip',
    setup({ onLoad }) {
      // A sender that lost frames on the way, without sealing them first: only the receiving side's cost is of interest.
      onLoad({ filter: /protocol\/sender-key\.ts$/ }, async ({ path }) => ({
        contents: (await readFile(path, 'utf8')).replace(
          '  get count(): number {',
          '  skip(): void { this.#chain.next(); }\n  get count(): number {',
        ),
        loader: 'ts',
      }));
    },
  };
  await build({
    stdin: { contents, resolveDir: SOURCES, loader: 'ts' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    outfile,
    plugins: [skip],
  });
}

async function inChromium(script) {
  const server = createServer((request, response) => {
    const isScript = request.url === '/crypto.mjs';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><title>crypto</title>');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const results = await page.evaluate(async () => {
      const { measureCrypto, protocol } = await import('/crypto.mjs');
      return measureCrypto(protocol, () => performance.now());
    });
    return { ...results, version: browser.version() };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Milliseconds of this thread and of the threads that WebCrypto works in. */
function cpuNow() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What tells a slow moment of a shared machine from a slow program: the start of Node itself, fastest of five. */
function startOfNode() {
  const times = Array.from({ length: 5 }, () => {
    const began = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    return performance.now() - began;
  });
  return Math.round(Math.min(...times));
}

export async function run() {
  const folder = await mkdtemp(join(tmpdir(), 'qsec2-bench-'));
  try {
    const outfile = join(folder, 'crypto.mjs');
    await bundle(outfile);
    const { measureCrypto: measure, protocol } = await import(pathToFileURL(outfile).href);
    const wall = await measure(protocol, () => performance.now());
    const cpu = await measure(protocol, cpuNow, { messages: 1000, runs: 2 });
    const page = await inChromium(await readFile(outfile));
    // Throughput is what a clock shows; costs are CPU where it can be had.
    const node = { ...cpu, sentPerSecond: wall.sentPerSecond, receivedPerSecond: wall.receivedPerSecond };
    // On a machine that is busy with other things the clock says more about those: CPU time is what a message costs.
    const perCpuSecond = { sentPerSecond: cpu.sentPerSecond, receivedPerSecond: cpu.receivedPerSecond };
    Object.assign(node, {
      platformSendsPerSecond: wall.platformSendsPerSecond,
      platformReceivesPerSecond: wall.platformReceivesPerSecond,
    });
    const table = ROWS.map(([field, what, target, more]) => ({
      what,
      target: `${more ? '≥' : '≤'} ${target}`,
      node: Number(node[field].toPrecision(3)),
      ...(field in perCpuSecond && { 'node, per CPU second': Number(perCpuSecond[field].toPrecision(3)) }),
      chromium: Number(page[field].toPrecision(3)),
      met: [node, page].every((results) => (more ? results[field] >= target : results[field] <= target)),
    }));
    console.table(table);
    for (const [name, { platformSendsPerSecond, platformReceivesPerSecond }] of Object.entries({ Node: node, Chromium: page })) {
      console.log(
        `${name}: nothing but WebCrypto's AES-GCM and Ed25519, one after the other, would send ${Math.round(platformSendsPerSecond)} and receive ${Math.round(platformReceivesPerSecond)} a second.`,
      );
    }
    const startMs = startOfNode();
    console.log(
      `All eight who join, in one process: ${Math.round(node.joinWholeRoomMs)} ms in Node, ${Math.round(page.joinWholeRoomMs)} ms in Chromium.`,
    );
    console.log(`\`node -e 0\` takes ${startMs} ms here: how fast this machine is at the moment.`);
    return { node: { ...node, perCpuSecond }, chromium: page, rows: table, startMs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
