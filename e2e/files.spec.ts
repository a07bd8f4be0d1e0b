import { type Download, expect, type Page } from '@playwright/test';
import { CuttableProxy } from './support/file-transfer.mjs';
import { watchContent } from './support/page-watch.ts';
import { picker, talking } from './support/people.ts';
import { test } from './support/widget-test.ts';

/** Files between two people who use the widget, over a real relay. */

const messages = (page: Page) => page.getByRole('article');
const card = (page: Page, name: string) => messages(page).filter({ hasText: name });

async function contentOf(download: Download): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function leave(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Leave room' }).click();
  await expect(messages(page)).toHaveCount(0);
}

test('files go out by the button, and arrive as they were; an empty one is refused in words', async ({ relay, people }) => {
  const [ana, bo] = await talking(relay.url, await people.one(), await people.one());
  const content = Buffer.from('What was agreed, word for word.\n'.repeat(4000));
  await picker(ana).setInputFiles([
    { name: 'minutes.txt', mimeType: 'text/plain', buffer: content },
    { name: 'nothing.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
  ]);
  await expect(card(ana, 'nothing.txt').getByText('This file is empty')).toBeVisible();
  // Sending it once more would not fill it.
  await expect(card(ana, 'nothing.txt').getByRole('button', { name: 'Retry' })).toHaveCount(0);
  const fetched = bo.waitForEvent('download');
  await bo.getByRole('button', { name: 'Download minutes.txt' }).click();
  const download = await fetched;
  expect(download.suggestedFilename()).toBe('minutes.txt');
  expect((await contentOf(download)).equals(content)).toBe(true);
  await expect(messages(bo)).toHaveCount(1);
});

test('a picture that is pasted is shown on both sides, and the draft stays', async ({ relay, people }) => {
  const [ana, bo] = await talking(relay.url, await people.one(), await people.one());
  const field = ana.getByRole('textbox', { name: 'Message' });
  await field.fill('Look at this');
  await field.evaluate(async (field) => {
    const canvas = new OffscreenCanvas(40, 30);
    canvas.getContext('2d')?.fillRect(0, 0, 20, 20);
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([await canvas.convertToBlob()], 'image.png', { type: 'image/png' }));
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true, composed: true }));
  });
  for (const page of [ana, bo]) {
    const picture = page.getByRole('img', { name: 'image.png' });
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(40);
  }
  await expect(field).toHaveValue('Look at this');
});

test('names and types that mean harm, and pictures that are none, are plain files', async ({ relay, people }) => {
  const [ana, bo] = await talking(relay.url, await people.one(), await people.one({}, watchContent));
  const long = `${'a'.repeat(1000)}.txt`;
  const bytes = Buffer.from('<script>document.title = "taken"</script>');
  await picker(ana).setInputFiles([
    { name: '<img src=x onerror=alert(1)>.txt', mimeType: 'text/plain', buffer: bytes },
    { name: 'in\u0007voice\u202Efdp.exe', mimeType: 'application/pdf', buffer: bytes },
    { name: long, mimeType: 'text/plain', buffer: bytes },
    { name: 'page.html', mimeType: 'text/html', buffer: bytes },
    { name: 'drawing.svg', mimeType: 'image/svg+xml', buffer: bytes },
    { name: 'no-picture.png', mimeType: 'image/png', buffer: bytes },
    { name: 'no-sound.mp3', mimeType: 'audio/mpeg', buffer: bytes },
  ]);
  await expect(messages(bo)).toHaveCount(7);
  for (const name of [
    '_img src=x onerror=alert(1)_.txt',
    'invoicefdp.exe',
    `${'a'.repeat(116)}.txt`,
    'page.html',
    'drawing.svg',
  ]) {
    await expect(bo.getByRole('button', { name: `Download ${name}`, exact: true })).toBeVisible();
  }
  for (const name of ['no-picture.png', 'no-sound.mp3']) {
    await expect(card(bo, name).getByText('Cannot be shown here')).toBeVisible();
    await expect(bo.getByRole('button', { name: `Download ${name}` })).toBeVisible();
  }
  await expect(bo.getByRole('img', { name: /svg|img/ })).toHaveCount(0);
  const fetched = bo.waitForEvent('download');
  await bo.getByRole('button', { name: 'Download page.html' }).click();
  expect((await contentOf(await fetched)).equals(bytes)).toBe(true);
  // What is handed to the browser is nothing that it would run under the page's origin.
  expect(await bo.evaluate(() => shownEver.map(({ type }) => type).filter((type) => /html|svg|pdf/.test(type)))).toEqual([]);
});

test('fetching that is cancelled keeps nothing, and brings the file when it is tried again', async ({ relay, people }) => {
  const proxy = await CuttableProxy.listen(relay.port);
  try {
    const [ana, bo] = await talking(proxy.url, await people.one(), await people.one({}, watchContent));
    const content = Buffer.alloc(9_000_000, 'content ');
    await picker(ana).setInputFiles({ name: 'film.bin', mimeType: 'application/octet-stream', buffer: content });
    const offered = bo.getByRole('button', { name: 'Download film.bin' });
    await expect(offered).toBeVisible();
    proxy.hold();
    await offered.click();
    await bo.getByRole('button', { name: 'Stop fetching film.bin' }).click();
    await expect(card(bo, 'film.bin').getByText('Cancelled')).toBeVisible();
    expect(await bo.evaluate(() => shownEver.length)).toBe(0);
    proxy.release();
    await bo.getByRole('button', { name: 'Try to fetch film.bin again' }).click();
    const fetched = bo.waitForEvent('download');
    await offered.click();
    expect((await contentOf(await fetched)).equals(content)).toBe(true);
    await leave(bo);
    expect(await bo.evaluate(() => shownNow.size)).toBe(0);
  } finally {
    await proxy.close();
  }
});
