import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.mjs';
import { ROOT } from '../../scripts/run.mjs';

/**
 * Opening a link: from the click until both sides can write, on loopback, in Chromium, on the demo page with a warm cache.
 *
 * Warm is what it is for a person who has been there before: a profile of their own, whose cache holds the files and the code the
 * browser compiled from them. The link is on a page of another site, in a window that has been open for a while: Chromium's own
 * windows take a good part of a second to come to rest. The page that opens is a new document in a new process all the same.
 *
 * The pages tell when they began to connect, had joined and were secure; nothing is asked of them before. What the key agreement
 * computes is measured apart, by two members in one page with a relay in that page: the rest of the time is the network's, the
 * relay's and the event loop's.
 */

const RUNS = 11;
/** Chromium compiles for its cache what it has seen more than once. */
const WARM_UP = 4;
const GATE_MS = 300;
const STRETCH_MS = 150;
const SECURE = 'qsec2 secure';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function run() {
  const relay = await startRelay();
  const elsewhere = await serveLinks();
  const profile = mkdtempSync(join(tmpdir(), 'qsec2-bench-profile-'));
  const visitor = await chromium.launchPersistentContext(profile, { executablePath: await findChromium(), args: ARGS });
  const browser = visitor.browser();
  try {
    const host = await browser.newContext();
    const ana = await host.newPage();
    const bo = visitor.pages()[0] ?? (await visitor.newPage());
    for (const page of [ana, bo]) await page.addInitScript(watch);
    const atRest = await restOf(browser);
    const runs = [];
    for (let i = -WARM_UP; i < RUNS; i++) {
      const measured = await openLink({ ana, bo, elsewhere, relay: relay.url, atRest });
      if (i >= 0) runs.push(measured);
    }
    const median = medianOf(runs);
    const cpu = await computation(browser);
    print(
      median,
      cpu,
      runs.map(({ total }) => total),
    );
    return { unit: 'ms', gate: GATE_MS, stretch: STRETCH_MS, median, cpu, runs };
  } finally {
    await visitor.close();
    await elsewhere.stop();
    await relay.stop();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Ana waits in a room; Bo clicks on her link. Both pages share this machine's clock. */
async function openLink({ ana, bo, elsewhere, relay, atRest }) {
  await ana.goto('about:blank');
  await ana.goto(relay);
  await ana.evaluate(async () => {
    await customElements.whenDefined('qsec2-chat');
    await document.querySelector('qsec2-chat').open();
  });
  await ana.getByRole('button', { name: 'Create a room' }).click();
  await ana.waitForFunction(() => globalThis.__bench.invite !== undefined);
  await bo.goto(elsewhere.pageWith(await ana.evaluate(() => globalThis.__bench.invite)));
  await atRest();

  const secure = [ana, bo].map((page) => page.waitForEvent('console', (message) => message.text() === SECURE));
  await bo.click('#link');
  await Promise.all(secure);
  const [atAna, atBo] = [await ana.evaluate(() => globalThis.__bench), await bo.evaluate(() => globalThis.__bench)];
  const clicked = Number(await bo.evaluate(() => window.name));
  const total = Math.max(atAna.secure, atBo.secure) - clicked;
  return {
    total,
    page: atBo.connecting - clicked,
    joining: atBo.joined - atBo.connecting,
    agreement: total - (atBo.joined - clicked),
  };
}

/** A site of its own: a page with a link on it that notes when it is clicked. */
async function serveLinks() {
  let link = '';
  const server = createWebServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><a id="link" href="${link}">open</a><script>
      document.querySelector('#link').addEventListener('click', () => {
        window.name = String(performance.timeOrigin + performance.now());
      });</script>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    pageWith(href) {
      link = href;
      return `http://localhost:${server.address().port}/`;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Waits until the browser's processes have next to nothing to do: what its windows and the waiting page began is over. */
async function restOf(browser) {
  const session = await browser.newBrowserCDPSession();
  const busyMs = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { cpuTime }) => sum + 1000 * cpuTime, 0);
  };
  return async () => {
    let before = await busyMs();
    for (let calm = 0; calm < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const now = await busyMs();
      calm = now - before < 20 ? calm + 1 : 0;
      before = now;
    }
  };
}

/** Two members in one page with a relay in the same page: what is left is computation. */
async function computation(browser) {
  const bundle = await build({
    stdin: {
      contents: `export { connect } from '@qsec2/sdk'; export { MemoryRelay } from '@qsec2/sdk/testing';`,
      resolveDir: join(ROOT, 'bench'),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
  });
  const server = createWebServer((request, response) => {
    const script = request.url === '/sdk.js';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? bundle.outputFiles[0].contents : '<!doctype html>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const page = await browser.newPage();
  await page.goto(`http://localhost:${server.address().port}/`);
  const runs = await page.evaluate(async (count) => {
    const { connect, MemoryRelay } = await import('/sdk.js');
    const measured = [];
    for (let i = 0; i <= count; i++) {
      const { transport } = new MemoryRelay();
      const ana = await connect({ relay: location.href, transport });
      const began = performance.now();
      const bo = await connect({ relay: location.href, transport, invite: ana.invite });
      for (const room of [ana, bo]) while (room.state !== 'secure') await room.once('state');
      const whole = performance.now() - began;
      const bb84 = [ana, bo].flatMap((room) => Object.values(room.members[0].report.spans)).reduce((sum, ms) => sum + ms, 0);
      if (i > 0) measured.push({ whole, bb84, handshake: whole - bb84 });
      await bo.leave();
      await ana.leave();
    }
    return measured;
  }, RUNS);
  await page.close();
  server.closeAllConnections();
  server.close();
  return medianOf(runs);
}

/** Runs in each page before its own scripts: notes when what happened. */
function watch() {
  const now = () => performance.timeOrigin + performance.now();
  const bench = {};
  globalThis.__bench = bench;
  addEventListener('qsec2-invite', ({ detail }) => {
    bench.invite = detail.link;
  });
  addEventListener('qsec2-state', ({ detail }) => {
    const { state } = detail;
    if (state === 'connecting') bench.connecting ??= now();
    if (state === 'agreeing' || state === 'waiting') bench.joined ??= now();
    if (state !== 'secure' || bench.secure) return;
    bench.secure = now();
    console.debug('qsec2 secure');
  });
}

async function startRelay() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  const data = mkdtempSync(join(tmpdir(), 'qsec2-bench-'));
  const child = spawn(process.execPath, [join(ROOT, 'packages/relay/dist/cli.js'), 'serve'], {
    env: {
      ...process.env,
      PORT: String(port),
      RELAY_HOST: '127.0.0.1',
      RELAY_DATABASE_URL: `sqlite:${join(data, 'relay.db')}`,
      RELAY_DATA_DIR: data,
      RELAY_DEMO_DIR: join(ROOT, 'packages/widget/dist/demo'),
      RELAY_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    const answered = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) break;
    if (child.exitCode !== null) throw new Error(`the relay ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const medianOf = (runs) => Object.fromEntries(Object.keys(runs[0]).map((part) => [part, middle(runs.map((run) => run[part]))]));

function print(median, cpu, totals) {
  const ms = (value) => `${value.toFixed(0).padStart(5)} ms`;
  console.log(`  opening a link, click to both secure     ${ms(median.total)}   gate ${GATE_MS} ms, stretch ${STRETCH_MS} ms`);
  console.log(`    loading the page, scripts              ${ms(median.page)}`);
  console.log(`    reaching the relay, joining            ${ms(median.joining)}`);
  console.log(`    from joined to both secure             ${ms(median.agreement)}`);
  console.log(`      BB84, both sides, computing          ${ms(cpu.bb84)}`);
  console.log(`      handshake and room, both, computing  ${ms(cpu.handshake)}`);
  console.log(`      network and the rest                 ${ms(median.agreement - cpu.whole)}`);
  console.log(`  fastest ${ms(Math.min(...totals))}, slowest ${ms(Math.max(...totals))} of ${totals.length} runs`);
}
