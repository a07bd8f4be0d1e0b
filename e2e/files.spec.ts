import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Download, expect, type Page } from '@playwright/test';
import { CuttableProxy } from './support/file-transfer.mjs';
import { Site, twoLines } from './support/host-page.ts';
import { stallUploads, watchContent } from './support/page-watch.ts';
import { picker, talking } from './support/people.ts';
import type { RelayProcess } from './support/relay-process.ts';
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

/** Files of chunks that the relay keeps. */
async function kept(relay: RelayProcess): Promise<string[]> {
  const names = await readdir(join(relay.dataDir, 'blobs'), { recursive: true }).catch(() => []);
  return names.filter((name) => /\.(part|whole)$/.test(name));
}

/** Contents of this kind that have an object URL at the moment. */
const shown = (page: Page, kind: string) =>
  page.evaluate((kind) => [...shownNow.values()].filter(({ type }) => type.startsWith(kind)).length, kind);

test('files go out by the button, and arrive as they were; an empty one is refused in words', async ({ site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one());
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

test('a large picture that is dropped is a thumbnail to the other side, then the picture; its addresses end with the room', async ({
  site,
  people,
}) => {
  const [ana, bo] = await talking(site.url, await people.one({}, watchContent), await people.one({}, watchContent));
  // Noise, which no format makes small: above what is fetched without being asked for.
  const files = await ana.evaluateHandle(async () => {
    const canvas = new OffscreenCanvas(2400, 1200);
    const brush = canvas.getContext('2d');
    if (!brush) throw new Error('a canvas has a brush');
    const noise = new ImageData(canvas.width, canvas.height);
    for (let at = 0; at < noise.data.length; at += 65_536) crypto.getRandomValues(noise.data.subarray(at, at + 65_536));
    for (let at = 3; at < noise.data.length; at += 4) noise.data[at] = 255;
    brush.putImageData(noise, 0, 0);
    const files = new DataTransfer();
    files.items.add(new File([await canvas.convertToBlob()], 'noise.png', { type: 'image/png' }));
    return files;
  });
  const panel = ana.getByRole('textbox', { name: 'Message' });
  await panel.dispatchEvent('dragover', { dataTransfer: files });
  await expect(ana.getByText('Drop files to send them')).toBeVisible();
  await panel.dispatchEvent('dragleave');
  await expect(ana.getByText('Drop files to send them')).toHaveCount(0);
  await panel.dispatchEvent('dragover', { dataTransfer: files });
  await panel.dispatchEvent('drop', { dataTransfer: files });
  await expect(ana.getByText('Drop files to send them')).toHaveCount(0);

  const picture = bo.getByRole('img', { name: 'noise.png' });
  await expect(picture).toBeVisible();
  const width = () => picture.evaluate((image: HTMLImageElement) => image.naturalWidth);
  await expect.poll(width).toBe(320);
  const box = await picture.boundingBox();
  expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(2, 1);
  await bo.getByRole('button', { name: 'Show noise.png' }).click();
  await expect.poll(width).toBe(2400);
  // It takes the place of its thumbnail without moving anything; the log may still be scrolling.
  const { width: fullWidth, height: fullHeight } = (await picture.boundingBox()) ?? {};
  expect([fullWidth, fullHeight]).toEqual([box?.width, box?.height]);
  for (const page of [ana, bo]) {
    expect(await shown(page, 'image/')).toBeGreaterThan(0);
    await leave(page);
    await expect.poll(() => shown(page, 'image/')).toBe(0);
  }
});

test('a picture that is pasted is shown on both sides, and the draft stays', async ({ site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one());
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

test('names and types that mean harm, and pictures that are none, are plain files', async ({ site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one({}, watchContent));
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

test('sending that is cancelled half-way leaves nothing behind, and can be tried again', async ({ relay, site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one({}, stallUploads), await people.one());
  const before = await kept(relay);
  await ana.evaluate(() => stallAfter(2_000_000));
  await picker(ana).setInputFiles({ name: 'film.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(9_000_000, 7) });
  await expect(card(ana, 'film.bin').getByText(/^[1-9][\d.]*\sMB of /)).toBeVisible();
  await expect.poll(async () => (await kept(relay)).length).toBe(before.length + 1);
  await ana.getByRole('button', { name: 'Stop sending film.bin' }).click();
  await expect(card(ana, 'film.bin').getByText('Cancelled')).toBeVisible();
  await ana.evaluate(() => goOn());
  await expect.poll(() => kept(relay)).toEqual(before);
  await expect(messages(bo)).toHaveCount(0);

  await card(ana, 'film.bin').getByRole('button', { name: 'Retry' }).click();
  await expect(bo.getByRole('button', { name: 'Download film.bin' })).toBeVisible();
  await expect(messages(ana)).toHaveCount(1);
});

test('a file that changes on the disk while it is sent cannot be read, and leaves nothing behind', async ({
  relay,
  site,
  people,
}) => {
  const [ana, bo] = await talking(site.url, await people.one({}, stallUploads), await people.one());
  const before = await kept(relay);
  const path = join(tmpdir(), `qsec2-changing-${process.pid}.bin`);
  await writeFile(path, Buffer.alloc(9_000_000, 7));
  try {
    await ana.evaluate(() => stallAfter(2_000_000));
    await picker(ana).setInputFiles(path);
    await expect(card(ana, 'qsec2-changing').getByText(/^[1-9][\d.]*\sMB of /)).toBeVisible();
    await writeFile(path, 'something else');
    await ana.evaluate(() => goOn());
    await expect(card(ana, 'qsec2-changing').getByText('This file cannot be read')).toBeVisible();
    await expect.poll(() => kept(relay)).toEqual(before);
    await expect(messages(bo)).toHaveCount(0);
    await card(ana, 'qsec2-changing').getByRole('button', { name: 'Delete' }).click();
    await expect(messages(ana)).toHaveCount(0);
  } finally {
    await rm(path);
  }
});

test('fetching that is cancelled keeps nothing, and brings the file when it is tried again', async ({ relay, people }) => {
  const proxy = await CuttableProxy.listen(relay.port);
  const site = await Site.page(twoLines(proxy.url));
  try {
    const [ana, bo] = await talking(site.url, await people.one(), await people.one({}, watchContent));
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
    await site.close();
    await proxy.close();
  }
});
