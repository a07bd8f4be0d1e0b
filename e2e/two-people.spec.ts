import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { Site, twoLines } from './support/host-page.ts';
import { DEMO, RelayProcess } from './support/relay-process.ts';

/** Two people, each in a browser of their own, on a page of another origin than the relay's, or on the relay's own. */

let relay: RelayProcess;
let site: Site;
const contexts: BrowserContext[] = [];

test.beforeAll(async () => {
  relay = await RelayProcess.start({ RELAY_DEMO_DIR: DEMO });
  site = await Site.page(twoLines(relay.url));
});

test.afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

test.afterAll(async () => {
  await site.close();
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

async function create(page: Page, name: string, place = site.url): Promise<string> {
  await page.goto(place);
  await page.getByRole('button', { name: 'Open private chat' }).click();
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

for (const place of ['a page of another origin', "the relay's own page"]) {
  test(`on ${place} one creates a room, the other opens its link, and they talk`, async ({ browser }) => {
    const ana = await person(browser);
    const link = await create(ana, 'Ana', place.startsWith('the relay') ? relay.url : site.url);
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
}

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
  const link = await create(ana, 'Ana', `${relay.url}/?eve=100`);
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
