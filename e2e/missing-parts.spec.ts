import { expect, type Page } from '@playwright/test';
import { fileOf, page as pageAnswer, Site, twoLines, WIDGET_FILES } from './support/host-page.ts';
import { withoutKem } from './support/page-watch.ts';
import { microphone, pageOf, picker, recorder, talking, voice } from './support/people.ts';
import { test } from './support/widget-test.ts';

/** Parts of the widget that do not arrive: it is said in words, and asked for again. */

test.describe.configure({ mode: 'parallel' });

declare global {
  var told: { code: string; outdated?: boolean }[];
}

const launcher = (page: Page) => page.getByRole('button', { name: 'Open private chat' });
const setUp = (page: Page) => page.getByRole('heading', { name: 'Talk in private' });
const MISSING = 'A part of the chat did not load';

/** Every part: the entry's own name has no hash. */
const PARTS = /\/qsec2-[\w-]+-[\w-]{8}\.js/;

/** Has no part arrive, as when the connection is gone; returns how to have them arrive again. */
async function cut(page: Page, which: RegExp = PARTS): Promise<() => Promise<void>> {
  await page.route(which, (route) => route.abort());
  return () => page.unroute(which);
}

function note(): void {
  globalThis.told = [];
  addEventListener('qsec2-error', (event) => globalThis.told.push((event as CustomEvent).detail));
}

const listen = (page: Page): Promise<unknown> => page.addInitScript(note);

/** Until so many failures were told of. What is shown of the first is there all the while that the next one is tried. */
const failures = (page: Page, count: number): Promise<void> =>
  expect.poll(() => page.evaluate(() => globalThis.told.length)).toBe(count);

for (const part of ['session', 'qsec2-panel']) {
  test(`the click on the launcher says that its part "${part}" is missing, and tries again`, async ({ people, site }) => {
    const page = await pageOf(await people.one());
    await listen(page);
    const mend = await cut(page, new RegExp(`/qsec2-${part}-`));
    await page.goto(site.url);
    for (const [tries, again] of [launcher(page), page.getByRole('button', { name: 'Try again' })].entries()) {
      await again.click();
      await failures(page, tries + 1);
      await expect(page.getByRole('alert').filter({ hasText: MISSING })).toBeVisible();
    }
    expect(await page.evaluate(() => globalThis.told.map(({ code, outdated }) => [code, outdated]))).toEqual([
      ['NOT_LOADED', false],
      ['NOT_LOADED', false],
    ]);
    await mend();
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(setUp(page)).toBeVisible();
    await expect(page.getByRole('alert').filter({ hasText: MISSING })).toHaveCount(0);
  });
}

test('where a page shows the chat in place, a missing part is said there', async ({ people, relay }) => {
  const site = await Site.page(twoLines(relay.url).replace('<qsec2-chat ', '<qsec2-chat mode="inline" '));
  try {
    const page = await pageOf(await people.one());
    const mend = await cut(page);
    await page.goto(site.url);
    await expect(page.getByRole('alert').filter({ hasText: MISSING })).toBeVisible();
    await mend();
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(setUp(page)).toBeVisible();
  } finally {
    await site.close();
  }
});

test('a page that allows no added scripts asks for a module again that failed', async ({ people, relay }) => {
  const policy = { 'Content-Security-Policy': "require-trusted-types-for 'script'; trusted-types 'none'" };
  const site = await Site.page(twoLines(relay.url), policy);
  try {
    const page = await pageOf(await people.one());
    const mend = await cut(page);
    await page.goto(site.url);
    await launcher(page).click();
    await expect(page.getByRole('alert').filter({ hasText: MISSING })).toBeVisible();
    await mend();
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(setUp(page)).toBeVisible();
  } finally {
    await site.close();
  }
});

/** A page and its files, which a redeploy replaces: the old parts are gone. */
async function redeployable(relay: string) {
  let [gone, build] = [false, ''];
  const site = await Site.start(async (path) => {
    if (path === '/') return pageAnswer(twoLines(relay, ''));
    if (gone && PARTS.test(path)) return { status: 404, headers: { 'Content-Type': 'text/plain' } };
    const answer = await fileOf(WIDGET_FILES, path);
    if (!path.endsWith('-current.js') || !build || !answer.body) return answer;
    return { ...answer, body: answer.body.toString().replace(/"[^"]*"\);/, `"${build}");`) };
  });
  return {
    site,
    redeploy() {
      [gone, build] = [true, 'another'];
    },
    /** The page that is loaded again gets files that fit together. */
    settle() {
      [gone, build] = [false, ''];
    },
  };
}

test('after a redeploy an old page is told to be loaded again, and its invite is not lost', async ({ people, relay, site }) => {
  const ana = await pageOf(await people.one());
  await ana.goto(site.url);
  await launcher(ana).click();
  await ana.getByRole('button', { name: 'Create a room' }).click();
  const invite = ana.getByRole('textbox', { name: 'Invite link' });
  await expect(invite).toHaveValue(/#q2\./);
  const code = (await invite.inputValue()).split('#')[1];

  const updated = await redeployable(relay.url);
  try {
    const bo = await pageOf(await people.one());
    await listen(bo);
    await bo.goto(updated.site.url);
    await expect(launcher(bo)).toBeVisible();
    updated.redeploy();
    await bo.evaluate((code) => {
      location.hash = `#${code}`;
    }, code);
    await expect(bo.getByRole('alert').filter({ hasText: 'The chat was updated. Reload this page' })).toBeVisible();
    await expect(bo.getByRole('button', { name: 'Try again' })).toHaveCount(0);
    expect(new URL(bo.url()).hash).toBe('');
    expect(await bo.evaluate(() => globalThis.told)).toMatchObject([{ code: 'NOT_LOADED', outdated: true }]);
    updated.settle();
    await bo.getByRole('button', { name: 'Reload page' }).click();
    for (const page of [ana, bo]) {
      await expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
    }
    expect(new URL(bo.url()).hash).toBe('');
  } finally {
    await updated.site.close();
  }
});

test('after a redeploy what connects is gone: the page is loaded again', async ({ people, relay }) => {
  const updated = await redeployable(relay.url);
  try {
    const page = await pageOf(await people.one());
    // The panel is there; the rest was not asked for yet.
    await page.route(/qsec2-sdk-/, (route) => route.abort());
    await page.goto(updated.site.url);
    await launcher(page).click();
    await expect(setUp(page)).toBeVisible();
    updated.redeploy();
    await page.unroute(/qsec2-sdk-/);
    await page.getByRole('button', { name: 'Create a room' }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'The chat was updated' })).toBeVisible();
    updated.settle();
    await page.getByRole('button', { name: 'Reload page' }).click();
    await expect(launcher(page)).toBeVisible();
  } finally {
    await updated.site.close();
  }
});

test('every part that a conversation needs later is said to be missing, and comes when it is asked for again', async ({
  people,
  site,
}) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one());
  const banner = ana.getByRole('alert').filter({ hasText: MISSING });
  const retry = banner.locator('..').getByRole('button', { name: 'Retry' });
  const menu = async (entry: string) => {
    await ana.getByRole('button', { name: 'More' }).click();
    await ana.getByRole('menuitem', { name: entry }).click();
  };

  // The list of people, twice: a second failure is said like the first.
  await ana.evaluate(note);
  let mend = await cut(ana);
  await menu('People');
  await failures(ana, 1);
  await expect(banner).toBeVisible();
  await retry.click();
  await failures(ana, 2);
  await expect(banner).toBeVisible();
  await mend();
  await retry.click();
  await expect(ana.getByRole('heading', { name: 'People' })).toBeVisible();
  await ana.getByRole('button', { name: 'Back' }).click();
  await expect(banner).toHaveCount(0);

  mend = await cut(ana);
  await ana.getByRole('button', { name: 'Encrypted. Open security details' }).click();
  await expect(banner).toBeVisible();
  await mend();
  await retry.click();
  await expect(ana.getByRole('heading', { name: 'Security' })).toBeVisible();
  await ana.getByRole('button', { name: 'Back' }).click();

  mend = await cut(ana);
  await microphone(ana).click();
  await expect(banner).toBeVisible();
  await expect(microphone(ana)).toBeVisible();
  await mend();
  await retry.click();
  await expect(banner).toHaveCount(0);
  await microphone(ana).click();
  await recorder(ana).getByRole('button', { name: 'Delete' }).click();

  // What sends files, and what shows them.
  mend = await cut(ana);
  await picker(ana).setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('nine byte') });
  await expect(banner).toBeVisible();
  await mend();
  await retry.click();
  await expect(ana.getByRole('article').getByText(MISSING)).toBeVisible();
  await ana.getByRole('article').getByRole('button', { name: 'Retry' }).click();
  await expect(bo.getByRole('button', { name: 'Download a.txt' })).toBeVisible();
  await expect(voice(bo)).toHaveCount(0);
});

test('a browser without ML-KEM of its own does not get it: that is said, and keys are agreed when it comes', async ({
  people,
  site,
}) => {
  const ana = await pageOf(await people.one());
  await ana.goto(site.url);
  await launcher(ana).click();
  await ana.getByRole('button', { name: 'Create a room' }).click();
  const invite = ana.getByRole('textbox', { name: 'Invite link' });
  await expect(invite).toHaveValue(/#q2\./);

  const context = await people.one({}, withoutKem);
  await context.exposeFunction('refusedKem', () => undefined);
  const bo = await pageOf(context);
  const mend = await cut(bo, /\/qsec2-p-/);
  await bo.goto(await invite.inputValue());
  await expect(bo.getByRole('alert').filter({ hasText: MISSING })).toBeVisible();
  await mend();
  await bo.getByRole('button', { name: 'Retry' }).click();
  for (const page of [ana, bo]) {
    await expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
  }
});

test('the picture of a link that did not load is said to be missing, and is drawn then', async ({ people, site }) => {
  const page = await pageOf(await people.one());
  await page.goto(site.url);
  await launcher(page).click();
  await page.getByRole('button', { name: 'Create a room' }).click();
  await expect(page.getByRole('textbox', { name: 'Invite link' })).toHaveValue(/#q2\./);
  const mend = await cut(page);
  await page.getByRole('button', { name: 'Show QR code' }).click();
  await expect(page.getByRole('alert').filter({ hasText: MISSING })).toBeVisible();
  await mend();
  await page.getByRole('button', { name: 'Retry' }).click();
  await expect(page.getByRole('img', { name: 'QR code of the invite link' })).toBeVisible();
});
