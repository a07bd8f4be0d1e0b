import { rm } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { expect, type Page } from '@playwright/test';
import { bundledWidget } from './support/bundled-widget.ts';
import { everythingCrosses, type Place } from './support/everything-crosses.ts';
import { fileOf, page as pageAnswer, Site, twoLines, WIDGET_FILES } from './support/host-page.ts';
import { withoutKem } from './support/page-watch.ts';
import { pageOf } from './support/people.ts';
import { test } from './support/widget-test.ts';

/** Every way a page may hold the widget: keys are agreed, and a text, a file and a voice message cross. */

test.describe.configure({ mode: 'parallel' });

async function placeOf(html: string, headers: OutgoingHttpHeaders = {}): Promise<Place> {
  const site = await Site.page(html, headers);
  return { url: site.url, end: () => site.close() };
}

const policy = (text: string): OutgoingHttpHeaders => ({ 'Content-Security-Policy': text });
const media = 'img-src data: blob:; media-src blob:';
const withNonce = (html: string) => html.replaceAll('<script ', '<script nonce="two" ');

/** A page whose files come from elsewhere than the relay. */
async function withFiles(relay: string, files: Site, html = twoLines(relay, files.url), headers?: OutgoingHttpHeaders) {
  const site = await placeOf(html, headers);
  return { ...site, end: () => Promise.all([site.end(), files.close()]) };
}

/** A page that shows another one, which holds the chat. */
async function framed(relay: string, attributes: string): Promise<Place> {
  const inner = await Site.page(`<body>${twoLines(relay)}`);
  const outer = await placeOf(
    `<iframe allow="microphone" style="inline-size: 100vw; block-size: 95vh" ${attributes} src="${inner.url}"></iframe>`,
  );
  const frame = async (page: Page) => {
    const found = await (await page.locator('iframe').elementHandle())?.contentFrame();
    if (!found) throw new Error('the page has a frame');
    return found;
  };
  return { ...outer, frame, end: () => Promise.all([inner.close(), outer.end()]) };
}

async function bundled(relay: string): Promise<Place> {
  const folder = await bundledWidget();
  const html = `<script type="module" src="/main.js"></script><qsec2-chat relay="${relay}"></qsec2-chat>`;
  const site = await Site.start((path) => (path === '/' ? pageAnswer(html) : fileOf(folder, path)));
  return { url: site.url, end: () => Promise.all([site.close(), rm(folder, { recursive: true })]) };
}

/** A CDN that answers a short address with the address of a version. */
async function redirecting(relay: string): Promise<Place> {
  const files = await Site.start((path) =>
    path.startsWith('/@1.2.3/')
      ? fileOf(WIDGET_FILES, path.slice('/@1.2.3'.length), { 'Access-Control-Allow-Origin': '*' })
      : { status: 302, headers: { Location: `/@1.2.3${path}`, 'Access-Control-Allow-Origin': '*' } },
  );
  return withFiles(relay, files);
}

interface Position {
  on: string;
  at(relay: string): Promise<Place>;
  /** What the page forbids and the widget tries all the same, knowing another way. */
  forbidden?: string;
}

const POSITIONS: readonly Position[] = [
  { on: 'a page of two lines', at: (relay) => placeOf(twoLines(relay)) },
  {
    on: 'a page whose files come from a third origin',
    at: async (relay) => withFiles(relay, await Site.files(WIDGET_FILES)),
  },
  { on: 'a page whose files are at an address that redirects', at: redirecting },
  {
    on: 'a page that names the file with a query',
    at: (relay) => placeOf(twoLines(relay).replace('qsec2-chat.js', 'qsec2-chat.js?v=7')),
  },
  {
    on: 'a page with another base',
    at: (relay) => placeOf(`<base href="https://elsewhere.invalid/deep/">${twoLines(relay)}`),
  },
  {
    on: 'a page that imports the file from a script of its own',
    at: (relay) => placeOf(twoLines(relay).replace(/<script .*/, `<script>import("${relay}/qsec2-chat.js")</script>`)),
  },
  {
    on: 'a page of which the scripts are gone once they ran',
    at: (relay) =>
      placeOf(
        `${withNonce(twoLines(relay))}<script type="module" nonce="two">for (const one of document.scripts) if (one.src) one.remove()</script>`,
        policy("script-src 'nonce-two'"),
      ),
  },
  {
    on: "a page that allows the relay's scripts alone",
    at: (relay) =>
      placeOf(
        twoLines(relay),
        policy(`default-src 'none'; script-src ${relay}; connect-src ${relay} ${relay.replace('http', 'ws')}; ${media}`),
      ),
  },
  {
    on: 'a page that allows scripts with its nonce alone',
    at: (relay) =>
      placeOf(
        `<style nonce="other"></style>${withNonce(twoLines(relay))}`,
        policy("script-src 'nonce-two'; style-src 'nonce-other'"),
      ),
  },
  {
    on: 'a page that trusts what its trusted scripts add',
    at: (relay) => placeOf(withNonce(twoLines(relay)), policy("script-src 'nonce-two' 'strict-dynamic'")),
  },
  {
    on: 'a page that is isolated from other origins',
    at: (relay) =>
      placeOf(twoLines(relay), { 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Opener-Policy': 'same-origin' }),
  },
  {
    on: 'an isolated page whose files come from a third origin',
    at: async (relay) =>
      withFiles(relay, await Site.files(WIDGET_FILES), undefined, { 'Cross-Origin-Embedder-Policy': 'require-corp' }),
  },
  {
    on: 'a page whose trusted types know ours',
    at: (relay) => placeOf(twoLines(relay), policy("require-trusted-types-for 'script'; trusted-types qsec2")),
  },
  {
    on: 'a page that allows no trusted type',
    at: (relay) => placeOf(twoLines(relay), policy("require-trusted-types-for 'script'; trusted-types 'none'")),
    forbidden: 'trusted-types',
  },
  { on: 'a page in a frame', at: (relay) => framed(relay, '') },
  { on: 'a page that a bundler built', at: bundled },
];

for (const { on, at, forbidden } of POSITIONS) {
  test(`${on}: a text, a file and a voice message cross, and its policy is ${forbidden ? 'respected' : 'kept'}`, async ({
    browser,
    relay,
  }) => {
    const place = await at(relay.url);
    try {
      const broken = await everythingCrosses(browser, place);
      expect([...new Set(broken)]).toEqual(forbidden ? [forbidden] : []);
    } finally {
      await place.end();
    }
  });
}

test('a browser without ML-KEM of its own loads it, and everything crosses', async ({ browser, site }) => {
  let refused = 0;
  await everythingCrosses(browser, { url: site.url, end: async () => undefined }, async (page) => {
    await page.exposeFunction('refusedKem', () => refused++);
    await page.addInitScript(withoutKem);
  });
  expect(refused).toBeGreaterThan(1);
});

test('a part that several ask for at once is fetched and run once', async ({ people, site }) => {
  const page = await pageOf(await people.one());
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/qsec2-sdk-*', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(site.url);
  await page.getByRole('button', { name: 'Open private chat' }).click();
  // The panel asks for what connects, and so does whoever creates a room.
  await page.getByRole('button', { name: 'Create a room' }).click();
  await expect(page.getByText('Reaching the relay')).toBeVisible();
  release();
  await expect(page.getByRole('textbox', { name: 'Invite link' })).toHaveValue(/#q2\./);
  const parts = asked.filter((path) => /qsec2-.*\.js$/.test(path));
  expect(parts.filter((path) => path.startsWith('/qsec2-sdk-'))).toHaveLength(1);
  expect(new Set(parts).size).toBe(parts.length);
});

test('what connects did not arrive: it is asked for again, and the room is created', async ({ people, site }) => {
  const page = await pageOf(await people.one());
  await page.route('**/qsec2-sdk-*', (route) => route.abort());
  await page.goto(site.url);
  await page.getByRole('button', { name: 'Open private chat' }).click();
  await page.getByRole('button', { name: 'Create a room' }).click();
  const again = page.getByRole('button', { name: 'Retry' });
  await expect(again).toBeVisible();
  await expect(page.getByText('Check the connection')).toBeVisible();
  await page.unroute('**/qsec2-sdk-*');
  await again.click();
  await expect(page.getByRole('button', { name: 'Copy', exact: true })).toBeVisible();
});
