import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { DEMO, RelayProcess } from './support/relay-process.ts';

/** Two people, each in a browser of their own, on the demo page of a real relay. */

let relay: RelayProcess;
const contexts: BrowserContext[] = [];

test.beforeAll(async () => {
  relay = await RelayProcess.start({ RELAY_DEMO_DIR: DEMO });
});

test.afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

test.afterAll(async () => {
  await relay.stop();
});

async function person(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  contexts.push(context);
  const page = await context.newPage();
  // Nothing may go wrong unseen while two people talk. A connection that a test cuts is reported by the browser itself.
  page.on('pageerror', (error) => {
    throw error;
  });
  return page;
}

async function create(page: Page, name: string, query = ''): Promise<string> {
  await page.goto(`${relay.url}/${query}`);
  await page.getByRole('button', { name: 'Start a chat' }).click();
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Create a room' }).click();
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  return page.evaluate(() => navigator.clipboard.readText());
}

const secured = (page: Page) => expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

const bubble = (page: Page, text: string) => page.getByRole('log').getByText(text, { exact: true });

test('one creates a room, the other opens its link, and they talk', async ({ browser }) => {
  const ana = await person(browser);
  const link = await create(ana, 'Ana');
  const bo = await person(browser);
  await bo.goto(link);
  await Promise.all([secured(ana), secured(bo)]);
  expect(new URL(bo.url()).hash).toBe('');

  await say(bo, 'Good morning, Ana');
  await expect(bubble(ana, 'Good morning, Ana')).toBeVisible();
  await say(ana, 'Good morning to you');
  await expect(bubble(bo, 'Good morning to you')).toBeVisible();
  await expect(ana.getByText('Delivered')).toBeAttached();

  const safety = async (page: Page) => {
    await page.getByRole('button', { name: 'Compare' }).click();
    const groups = page.getByRole('listitem').filter({ hasText: /^\d{5}$/ });
    await expect(groups).toHaveCount(12);
    return groups.allTextContents();
  };
  const [atAna, atBo] = [await safety(ana), await safety(bo)];
  expect(atAna).toEqual(atBo);
});

test('a browser and a ten-line Node script talk', async ({ browser }) => {
  const ana = await person(browser);
  const link = await create(ana, 'Ana');
  const script = spawn(
    process.execPath,
    [fileURLToPath(new URL('../examples/node-bot/bot.mjs', import.meta.url)), relay.url, link],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    await secured(ana);
    await say(ana, 'are you there?');
    await expect(bubble(ana, 'You wrote: are you there?')).toBeVisible();
    expect(await firstLine(script)).toContain('are you there?');
  } finally {
    script.kill('SIGTERM');
    await once(script, 'exit');
  }
});

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('the script has an output');
  const [chunk] = (await once(stdout, 'data')) as [Buffer];
  return chunk.toString();
}

test('a listener who measures every photon is caught: no key, no chat', async ({ browser }) => {
  const ana = await person(browser);
  const link = await create(ana, 'Ana', '?eve=100');
  const bo = await person(browser);
  await bo.goto(link.includes('eve=100') ? link : link.replace('/#', '/?eve=100#'));
  for (const page of [ana, bo]) {
    const alert = page.getByRole('alert').filter({ hasText: 'Key exchange stopped' });
    await expect(alert).toContainText('Error rate');
    const rate = Number(/([\d.]+)\s?%/.exec((await alert.textContent()) ?? '')?.[1]);
    // 25 % within five standard deviations of the sample that was compared (about 5000 bits).
    expect(Math.abs(rate - 25)).toBeLessThan(3.1);
    await expect(page.getByRole('button', { name: 'Not secure. Open security details' })).toBeVisible();
    await expect(page.getByRole('log')).toHaveCount(0);
  }
});

test('a wrong link is refused in clear words', async ({ browser }) => {
  const ana = await person(browser);
  const link = await create(ana, 'Ana');
  const bo = await person(browser);
  // Other characters in the middle of the secret: a link of the right form to a room that does not exist.
  const at = link.indexOf('#q2.') + 60;
  await bo.goto(`${link.slice(0, at)}${link[at] === 'A' ? 'B' : 'A'}${link.slice(at + 1)}`);
  await expect(bo.getByText('This room was not found')).toBeVisible();
  await bo.goto('about:blank');
  await bo.goto(link.slice(0, -10));
  await expect(bo.getByText('This invite link is not valid')).toBeVisible();
});

test('the relay is killed and comes back: both see it, go on, and a message sent meanwhile arrives once', async ({ browser }) => {
  const ana = await person(browser);
  const link = await create(ana, 'Ana');
  const bo = await person(browser);
  await bo.goto(link);
  await Promise.all([secured(ana), secured(bo)]);
  await say(ana, 'before');
  await expect(bubble(bo, 'before')).toBeVisible();

  await relay.kill('SIGKILL');
  for (const page of [ana, bo])
    await expect(page.getByRole('button', { name: 'Reconnecting. Open security details' })).toBeVisible();
  await say(ana, 'meanwhile');
  await relay.start();
  for (const page of [ana, bo]) await secured(page);
  await expect(bubble(bo, 'meanwhile')).toBeVisible();
  await say(bo, 'after');
  await expect(bubble(ana, 'after')).toBeVisible();
  await expect(bubble(bo, 'meanwhile')).toHaveCount(1);
});

test('what connects did not arrive: it is asked for again, and the room is created', async ({ browser }) => {
  const ana = await person(browser);
  let lost = 0;
  await ana.route('**/*.script.js', (route) => {
    lost++;
    return route.abort();
  });
  await ana.goto(relay.url);
  await ana.getByRole('button', { name: /open private chat/i }).click();
  await ana.getByRole('button', { name: 'Create a room' }).click();
  const again = ana.getByRole('button', { name: 'Retry' });
  await expect(again).toBeVisible();
  await expect(ana.getByText('Check the connection')).toBeVisible();
  expect(lost).toBeGreaterThan(0);
  await ana.unroute('**/*.script.js');
  await again.click();
  await expect(ana.getByRole('button', { name: 'Copy', exact: true })).toBeVisible();
});

/** What the page's policy was against, as it happens. */
async function brokenPolicies(page: Page): Promise<string[]> {
  const broken: string[] = [];
  await page.exposeFunction('policyBroken', (directive: string) => broken.push(directive));
  await page.addInitScript("addEventListener('securitypolicyviolation', (event) => policyBroken(event.violatedDirective))");
  return broken;
}

test('two parts that need what connects at once have it run once', async ({ browser }) => {
  const ana = await person(browser);
  const broken = await brokenPolicies(ana);
  let release = () => {};
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  await ana.route('**/*.script.js', async (route) => {
    await both;
    await route.continue();
  });
  await ana.goto(relay.url, { waitUntil: 'commit' });
  await ana.getByRole('button', { name: /open private chat/i }).click();
  const scripts = ana.locator('script[src$=".script.js"]');
  await expect(scripts).toHaveCount(1);
  // As a part does that is loaded later: by the module that hands the script on.
  const module = (await scripts.getAttribute('src'))?.replace('.script.js', '.js') ?? '';
  const part = ana.evaluate(async (file) => Object.keys(await import(file)).length, module);
  await ana.waitForFunction(() => performance.getEntriesByType('resource').some(({ name }) => /qsec2-sdk-[^.]*\.js$/.test(name)));
  release();
  expect(await part).toBeGreaterThan(0);
  await expect(scripts).toHaveCount(1);
  // The page allows one policy of a name: a second attempt would have made another.
  expect(broken).toEqual([]);
});

/** What a page may say about the scripts on it; the element's own file is named in two lines. */
const POLICIES = [
  { page: 'a page of two lines on another origin', policy: undefined, kept: true },
  { page: 'a page that allows scripts with its nonce alone', policy: "script-src 'nonce-two'", kept: true },
  {
    page: 'a page whose trusted types know ours',
    policy: "require-trusted-types-for 'script'; trusted-types qsec2",
    kept: true,
  },
  { page: 'a page that allows no trusted type', policy: "require-trusted-types-for 'script'; trusted-types 'none'", kept: false },
];

for (const { page, policy, kept } of POLICIES) {
  test(`${page} has the chat${kept ? ', and its policy is kept' : ''}`, async ({ browser }) => {
    const lines = await readFile(new URL('../examples/script-tag/two-lines.html', import.meta.url), 'utf8');
    const html = lines.replaceAll('http://localhost:5000', relay.url).replaceAll('<script ', '<script nonce="two" ');
    const site: Server = createServer((_, response) => {
      if (policy) response.setHeader('content-security-policy', policy);
      response.setHeader('content-type', 'text/html').end(html);
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    const address = site.address();
    if (address === null || typeof address === 'string') throw new Error('a server has a port');
    try {
      const ana = await person(browser);
      const broken = await brokenPolicies(ana);
      await ana.goto(`http://127.0.0.1:${address.port}/`);
      await ana.getByRole('button', { name: /chat/i }).click();
      await ana.getByRole('button', { name: 'Create a room' }).click();
      await expect(ana.getByRole('button', { name: 'Copy', exact: true })).toBeVisible();
      if (kept) expect(broken).toEqual([]);
      else expect(broken).toContain('trusted-types');
    } finally {
      site.closeAllConnections();
      site.close();
    }
  });
}
