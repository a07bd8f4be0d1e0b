import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { DEMO, RelayProcess } from './support/relay-process.ts';

/** Files and voice messages between two people who use the widget, over a real relay. The microphone is Chromium's fake one, which beeps. */

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
  const context = await browser.newContext({ permissions: ['microphone'] });
  contexts.push(context);
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  return page;
}

async function pair(browser: Browser): Promise<[Page, Page]> {
  const ana = await person(browser);
  await ana.goto(relay.url);
  await ana.getByRole('button', { name: 'Start a chat' }).click();
  await ana.getByRole('button', { name: 'Create a room' }).click();
  const link = await ana.getByRole('textbox', { name: 'Invite link' }).inputValue();
  const bo = await person(browser);
  await bo.goto(link);
  for (const page of [ana, bo]) {
    await expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
  }
  return [ana, bo];
}

const recorder = (page: Page) => page.getByRole('group', { name: 'Voice message' });
const microphone = (page: Page) => page.getByRole('button', { name: 'Record a voice message' });
const voice = (page: Page) => page.getByRole('article', { name: /Voice message/ });

/** Records until the time shown is `seconds` at least. */
async function recorded(page: Page, seconds: number): Promise<void> {
  await expect
    .poll(async () => Number((await recorder(page).getByRole('timer').textContent())?.split(':')[1]))
    .toBeGreaterThanOrEqual(seconds);
}

test('a voice message is recorded, listened to and sent; the other side plays it, at any speed, from anywhere', async ({
  browser,
}) => {
  const [ana, bo] = await pair(browser);
  await microphone(ana).click();
  await recorded(ana, 2);
  await recorder(ana).getByRole('button', { name: 'Listen' }).click();
  await expect(recorder(ana).getByRole('timer', { name: 'Paused' })).toBeVisible();
  await recorder(ana).getByRole('button', { name: 'Go on recording' }).click();
  await recorded(ana, 3);
  await recorder(ana).getByRole('button', { name: 'Send' }).click();
  await expect(recorder(ana)).toHaveCount(0);
  await expect(voice(ana)).toHaveCount(1);

  await expect(voice(bo)).toHaveAccessibleName(/Voice message, 0:0[3-9]/);
  await expect(voice(bo).getByText('Not played yet')).toBeAttached();
  const bars = await voice(bo)
    .locator('rect')
    .evaluateAll((all) => all.map((bar) => Number(bar.getAttribute('height'))));
  expect(bars).toHaveLength(64);
  expect(Math.max(...bars)).toBe(28);
  expect(Math.min(...bars)).toBeLessThan(10);

  const slider = voice(bo).getByRole('slider', { name: 'Position' });
  await voice(bo).getByRole('button', { name: 'Speed 1' }).click();
  await voice(bo).getByRole('button', { name: 'Speed 1.5' }).click();
  await expect(voice(bo).getByRole('button', { name: 'Speed 2' })).toBeVisible();
  await voice(bo).getByRole('button', { name: 'Play' }).click();
  await expect(voice(bo).getByRole('button', { name: 'Pause' })).toBeVisible();
  await expect(slider).not.toHaveAttribute('aria-valuenow', '0');
  await expect(voice(bo).getByText('Not played yet')).toHaveCount(0);
  // To its end, and ready to begin again.
  await expect(voice(bo).getByRole('button', { name: 'Play' })).toBeVisible();
  await expect(slider).toHaveAttribute('aria-valuenow', '0');

  const length = Number(await slider.getAttribute('aria-valuemax'));
  expect(length).toBeGreaterThanOrEqual(3);
  await slider.press('End');
  await expect(slider).toHaveAttribute('aria-valuenow', String(length));
  await slider.press('ArrowLeft');
  await expect(slider).toHaveAttribute('aria-valuenow', String(Math.max(0, length - 5)));
  await slider.press('ArrowRight');
  await slider.press('Home');
  await expect(slider).toHaveAttribute('aria-valuenow', '0');
  const box = await slider.boundingBox();
  await slider.click({ position: { x: (box?.width ?? 0) / 2, y: 8 } });
  await expect(slider).toHaveAttribute('aria-valuenow', String(Math.round(length / 2)));
});

test('a recording is paused by Escape, and deleted when the person says so', async ({ browser }) => {
  const [ana] = await pair(browser);
  await microphone(ana).focus();
  await ana.keyboard.press('Enter');
  await recorded(ana, 1);
  await ana.keyboard.press('Escape');
  await expect(recorder(ana).getByRole('timer', { name: 'Paused' })).toBeVisible();
  await ana.keyboard.press('Escape');
  const question = ana.getByRole('alertdialog', { name: 'Delete this recording?' });
  await question.getByRole('button', { name: 'Keep' }).click();
  await recorder(ana).getByRole('button', { name: 'Delete' }).click();
  await expect(microphone(ana)).toBeVisible();
  await expect(voice(ana)).toHaveCount(0);
  await expect(ana.getByRole('dialog', { name: /Guest|chat/ })).toBeVisible();
});

test('a blocked microphone is explained', async ({ browser }) => {
  const [ana] = await pair(browser);
  await ana.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  await microphone(ana).click();
  await expect(ana.getByRole('alert').filter({ hasText: 'The microphone is blocked' })).toBeVisible();
  await ana.getByRole('button', { name: 'All right' }).click();
  await expect(microphone(ana)).toBeVisible();
});

test('files go out by the button, and arrive as they were; an empty one is refused in words', async ({ browser }) => {
  const [ana, bo] = await pair(browser);
  const content = Buffer.from('What was agreed, word for word.\n'.repeat(4000));
  await ana.locator('qsec2-chat input[type=file]').setInputFiles([
    { name: 'minutes.txt', mimeType: 'text/plain', buffer: content },
    { name: 'nothing.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
  ]);
  await expect(ana.getByText('This file is empty')).toBeVisible();
  const fetched = bo.waitForEvent('download');
  await bo.getByRole('button', { name: 'Download minutes.txt' }).click();
  const download = await fetched;
  expect(download.suggestedFilename()).toBe('minutes.txt');
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
  await expect(bo.getByRole('article')).toHaveCount(1);
});
