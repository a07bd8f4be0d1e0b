import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.mjs';
import { ROOT } from '../../scripts/run.mjs';

/**
 * What a page loads of the widget, gzipped at level 9: counted from the requests that a browser really makes, up to the launcher,
 * up to the first message of the one who creates a room, and with everything there is.
 */

const CDN = join(ROOT, 'packages/widget/dist/cdn');
const DEMO = join(ROOT, 'packages/widget/dist/demo');
const KILO = 1000;
const GATES = { launcher: 10, firstMessage: 75, everything: 100, sdk: 50 };
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-sync',
];

export async function run() {
  const sizes = new Map(
    readdirSync(CDN)
      .filter((file) => file.endsWith('.js'))
      .map((file) => [file, gzipSync(readFileSync(join(CDN, file)), { level: 9 }).length]),
  );
  const relay = await startRelay();
  const page = await startPage(relay.url);
  const browser = await chromium.launch({ executablePath: await findChromium(), args: ARGS });
  try {
    const { launcher, firstMessage } = await filesOnTheWay(browser, page.url, new Set(sizes.keys()));
    const total = (files) => [...files].reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
    // The SDK is the largest chunk by far: everything else is the widget's own.
    const sdk = Math.max(...[...firstMessage].map((file) => sizes.get(file) ?? 0));
    const results = { launcher: total(launcher), firstMessage: total(firstMessage), everything: total(sizes.keys()), sdk };
    for (const [name, bytes] of Object.entries(results)) {
      const verdict = bytes <= GATES[name] * KILO ? 'within' : 'above';
      console.log(`${name.padEnd(14)} ${(bytes / KILO).toFixed(1).padStart(6)} K  ${verdict} the gate of ${GATES[name]} K`);
    }
    console.log(
      `widget's own   ${((results.firstMessage - sdk) / KILO).toFixed(1).padStart(6)} K  to the first message, without the SDK`,
    );
    return { unit: 'bytes', gates: GATES, files: Object.fromEntries(sizes), ...results };
  } finally {
    await browser.close();
    page.stop();
    await relay.stop();
  }
}

/** A page of the README's two lines, on another origin than the relay's. */
async function startPage(relay) {
  const lines = readFileSync(join(ROOT, 'examples/script-tag/two-lines.html'), 'utf8').replaceAll('http://localhost:5000', relay);
  const page = createHttpServer((_, response) => response.setHeader('content-type', 'text/html').end(lines));
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  return { url: `http://localhost:${page.address().port}`, stop: () => page.close().closeAllConnections() };
}

/** Ana opens the page, creates a room, and writes to Bo, who came by her link. */
async function filesOnTheWay(browser, url, known) {
  const ana = await (await browser.newContext()).newPage();
  const loaded = new Set();
  ana.on('request', (request) => {
    const file = new URL(request.url()).pathname.slice(1);
    if (known.has(file)) loaded.add(file);
  });
  await ana.goto(url);
  await ana.getByRole('button', { name: 'Open private chat' }).waitFor();
  const launcher = new Set(loaded);
  await ana.getByRole('button', { name: 'Open private chat' }).click();
  await ana.getByRole('button', { name: 'Create a room' }).click();
  const link = await ana.getByRole('textbox', { name: 'Invite link' }).inputValue();
  const bo = await (await browser.newContext()).newPage();
  await bo.goto(link);
  await ana.getByRole('button', { name: /^Encrypted\./ }).waitFor();
  await ana.getByRole('textbox', { name: 'Message' }).fill('hello');
  await ana.getByRole('button', { name: 'Send' }).click();
  await bo.getByRole('article').waitFor();
  return { launcher, firstMessage: new Set(loaded) };
}

async function startRelay() {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-size-'));
  const port = await freePort();
  const relay = spawn(process.execPath, [join(ROOT, 'packages/relay/dist/cli.js'), 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      RELAY_HOST: '127.0.0.1',
      RELAY_DEMO_DIR: DEMO,
      RELAY_DATA_DIR: folder,
      RELAY_DATABASE_URL: `sqlite:${join(folder, 'relay.db')}`,
    },
  });
  await new Promise((resolve, reject) => {
    relay.stdout.once('data', resolve);
    relay.once('exit', (code) => reject(new Error(`The relay ended with code ${code}.`)));
  });
  return {
    url: `http://localhost:${port}`,
    stop: () =>
      new Promise((resolve) => {
        relay.removeAllListeners('exit');
        relay.once('exit', () => {
          rmSync(folder, { recursive: true, force: true });
          resolve();
        });
        relay.kill('SIGTERM');
      }),
  };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
