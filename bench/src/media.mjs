import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.mjs';
import { ROOT } from '../../scripts/run.mjs';
import { bareTransfer, clearTransfer } from './_media-clear.mjs';

/**
 * Files and voice: how fast they are sealed and opened in Node and in Chromium, what sealing costs a transfer on loopback, and how
 * long a voice message of ten seconds takes from "send" to playable.
 */

const MIB = 2 ** 20;
const CHUNK_BYTES = 65_552;
const ROUNDS = 9;
const TRANSFER_MIB = 32;
const TARGETS = { sealing: 200, ratio: 0.7 };

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

export async function run({ json = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-bench-media-'));
  const relay = await startRelay(folder);
  try {
    const page = await bundle(folder);
    const results = {
      node: await inNode(page),
      chromium: await inChromium(page, relay.url),
      transfer: await transfers(relay),
      targets: TARGETS,
    };
    if (json) console.log(JSON.stringify(results));
    else print(results);
    return results;
  } finally {
    await relay.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The SDK's own sources and the measurement, for Node and for a page alike. */
async function bundle(folder) {
  const outfile = join(folder, 'media.mjs');
  await build({
    stdin: {
      contents: `
        export { sealFile } from './media/seal.ts';
        export { openFile } from './media/open.ts';
        export { recordVoice } from './media/voice.ts';
        export { connect } from './room/connect.ts';
        import { sealFile } from './media/seal.ts';
        import { openFile } from './media/open.ts';
        globalThis.rates = ${rates.toString()};
        globalThis.measure = () => rates(sealFile, openFile);`,
      resolveDir: join(ROOT, 'packages/sdk/src'),
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    outfile,
    banner: { js: 'const require = globalThis.qsec2Require;' },
  });
  return outfile;
}

/** MiB a second of sealing and of opening; the best of five, so that what else runs on the machine counts least. */
async function rates(sealFile, openFile) {
  const size = 64 * 2 ** 20;
  const piece = new Uint8Array(2 ** 20);
  for (let at = 0; at < piece.length; at += 65_536) crypto.getRandomValues(piece.subarray(at, at + 65_536));
  const stream = (pieces) => {
    let next = 0;
    return new ReadableStream(
      { pull: (controller) => (next < pieces.length ? controller.enqueue(pieces[next++]) : controller.close()) },
      { highWaterMark: 0 },
    );
  };
  const drain = async (readable, take) => {
    const reader = readable.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  };
  const best = { seal: 0, open: 0 };
  for (let round = 0; round < 5; round++) {
    const boxes = [];
    let started = performance.now();
    const { chunks, sealed } = await sealFile(stream(new Array(size / piece.length).fill(piece)));
    await drain(chunks, ({ box }) => boxes.push(box));
    const file = await sealed;
    best.seal = Math.max(best.seal, size / 2 ** 20 / ((performance.now() - started) / 1000));
    started = performance.now();
    let bytes = 0;
    await drain(openFile(stream(boxes), file), (content) => {
      bytes += content.length;
    });
    if (bytes !== size) throw new Error('the file is not whole');
    best.open = Math.max(best.open, size / 2 ** 20 / ((performance.now() - started) / 1000));
  }
  return best;
}

async function inNode(page) {
  const { createRequire } = await import('node:module');
  globalThis.qsec2Require = createRequire(import.meta.url);
  await import(pathToFileURL(page).href);
  return globalThis.measure();
}

async function inChromium(page, relay) {
  const server = createWebServer((request, response) => {
    const script = request.url === '/media.mjs';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? readFileSync(page) : '<!doctype html><title>media</title>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const args = ['--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [...args, '--autoplay-policy=no-user-gesture-required'],
  });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    await tab.evaluate(async () => Object.assign(globalThis, { sdk: await import('/media.mjs') }));
    const sealing = await tab.evaluate(() => globalThis.measure());
    return { ...sealing, voice: await tab.evaluate(voice, relay) };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Ten seconds from the microphone, to another member in the same page: milliseconds from "send" to playable. */
async function voice(relay) {
  const { connect, recordVoice } = globalThis.sdk;
  const ana = await connect({ relay });
  const bo = await connect({ relay, invite: ana.invite.code });
  for (const room of [ana, bo]) while (room.state !== 'secure') await room.once('state');
  const playable = async (send) => {
    const arrived = bo.once('message');
    const started = performance.now();
    const sending = send();
    const blob = await (await arrived).voice.blob();
    const audio = new Audio();
    const ready = new Promise((resolve, reject) => {
      audio.oncanplay = resolve;
      audio.onerror = () => reject(audio.error);
    });
    audio.src = URL.createObjectURL(blob);
    await ready;
    const ms = performance.now() - started;
    await sending;
    return ms;
  };
  const recorder = recordVoice();
  await new Promise((resolve) => recorder.on('level', ({ durationMs }) => durationMs >= 10_000 && resolve()));
  const pressed = performance.now();
  const recording = await recorder.finish();
  const stopping = performance.now() - pressed;
  const first = await playable(() => ana.sendVoice(recording));
  const again = [];
  for (let i = 0; i < 5; i++) {
    again.push(await playable(() => ana.sendVoice(recording.blob, { durationMs: recording.durationMs, peaks: recording.peaks })));
  }
  for (const room of [ana, bo]) await room.leave();
  again.sort((a, b) => a - b);
  return { bytes: recording.blob.size, stopping, playable: first, playableAgain: again[2] };
}

/**
 * The same size sealed by the SDK and in the clear: the same requests to the same relay, which stores and hands out both alike, so that
 * all the difference is the SDK's. Rounds take turns at going first and are compared one by one, so that both meet the same machine.
 */
async function transfers(relay) {
  const { connect } = await import('@qsec2/sdk');
  const bytes = new Uint8Array(TRANSFER_MIB * MIB);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  const chunks = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(Buffer.from(bytes.subarray(at, at + CHUNK_BYTES)));

  const ana = await connect({ relay: relay.url });
  const bo = await connect({ relay: relay.url, invite: ana.invite, files: { fetchUpTo: 0 } });
  for (const room of [ana, bo]) while (room.state !== 'secure') await room.once('state');
  const sealed = async () => {
    const arrived = bo.once('message');
    const started = performance.now();
    await ana.sendFile(bytes);
    const { file } = await arrived;
    let got = 0;
    for await (const piece of file.stream()) got += piece.length;
    if (got !== bytes.length) throw new Error('the file is not whole');
    return (performance.now() - started) / 1000;
  };
  const bare = fork(new URL('./_media-clear.mjs', import.meta.url).pathname, ['bare']);
  const [{ url }] = await once(bare, 'message');
  const seconds = { sealed: [], clear: [], bare: [] };
  const cpu = { sealed: [], clear: [], bare: [] };
  const measured = async (name, work) => {
    const before = process.cpuUsage();
    const child = name === 'bare' ? bare.pid : relay.pid;
    const ticks = cpuOf(child);
    seconds[name].push(await work());
    const { user, system } = process.cpuUsage(before);
    cpu[name].push((user + system) / 1e6 + cpuOf(child) - ticks);
  };
  for (let round = 0; round <= ROUNDS; round++) {
    const turns = [
      () => measured('sealed', sealed),
      () => measured('clear', () => clearTransfer(relay.url, chunks)),
      () => measured('bare', () => bareTransfer(url, chunks)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
    // The first round warms up.
    if (round === 0) for (const all of [seconds, cpu]) for (const values of Object.values(all)) values.length = 0;
  }
  bare.kill();
  for (const room of [ana, bo]) await room.leave();
  const of = (values) => Object.fromEntries(Object.entries(values).map(([name, all]) => [name, median(all)]));
  const ratio = (values, to) => median(values.sealed.map((sealed, round) => values[to][round] / sealed));
  return {
    mib: TRANSFER_MIB,
    seconds: of(seconds),
    cpuSeconds: of(cpu),
    ratio: ratio(seconds, 'clear'),
    ratioOfWork: ratio(cpu, 'clear'),
    ratioToBare: ratio(seconds, 'bare'),
  };
}

/** Processor seconds of a process so far, where the system tells. */
function cpuOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

async function startRelay(folder) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const child = spawn(process.execPath, [join(ROOT, 'packages/relay/dist/cli.js'), 'serve'], {
    env: {
      ...process.env,
      PORT: String(port),
      RELAY_HOST: '127.0.0.1',
      RELAY_DATABASE_URL: `sqlite:${join(folder, 'relay.db')}`,
      RELAY_DATA_DIR: folder,
      RELAY_LOG_LEVEL: 'warn',
      // What is measured is the transfer, not the operator's bound on it.
      RELAY_RATE_BYTES: String(2 ** 40),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

function print({ node, chromium: browser, transfer }) {
  const line = (name, value, holds) =>
    console.log(`  ${name.padEnd(52)} ${value}${holds === undefined ? '' : holds ? '  ✓' : '  ✗'}`);
  for (const [name, { seal, open }] of Object.entries({ Node: node, Chromium: browser })) {
    line(`${name}: sealing, MiB/s (≥ ${TARGETS.sealing})`, seal.toFixed(0), seal >= TARGETS.sealing);
    line(`${name}: opening, MiB/s (≥ ${TARGETS.sealing})`, open.toFixed(0), open >= TARGETS.sealing);
  }
  const { seconds, mib } = transfer;
  for (const [name, value] of Object.entries(seconds))
    line(`${mib} MiB there and back, ${name}, MiB/s`, (mib / value).toFixed(0));
  line(`sealed ÷ clear, same requests (≥ ${TARGETS.ratio})`, transfer.ratio.toFixed(2), transfer.ratio >= TARGETS.ratio);
  line('the same in processor time', transfer.ratioOfWork.toFixed(2));
  line('sealed ÷ bare Socket.IO that stores nothing', transfer.ratioToBare.toFixed(2));
  const { voice: message } = browser;
  line(`voice of 10 s (${message.bytes} bytes): stopping, ms`, message.stopping.toFixed(0));
  line('voice of 10 s: send to playable, ms', message.playable.toFixed(0));
  line('the same sound again, not sealed before, ms', message.playableAgain.toFixed(0));
}
