import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import { type Browser, expect, type Page } from '@playwright/test';
import { picker, talking } from './support/people.ts';
import { test } from './support/widget-test.ts';

/** A picture of some kilobytes that takes gigabytes to draw, between two people who use the widget. */

const SIDE = 16_000;

function bomb(): Buffer {
  const number = (n: number) => Buffer.from([n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]);
  const chunk = (name: string, data: Buffer) => {
    const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
    return Buffer.concat([number(data.length), named, number(crc(named))]);
  };
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', Buffer.concat([number(SIDE), number(SIDE), Buffer.from([1, 0, 0, 0, 0])])),
    chunk('IDAT', deflateSync(Buffer.alloc(SIDE * (SIDE / 8 + 1)), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc(bytes: Buffer): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

/** Most memory that any process which draws pages of this browser has ever taken, MiB. */
async function peak(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const peaks = processInfo.map(async ({ id }) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  });
  return Math.max(...(await Promise.all(peaks)));
}

const card = (page: Page) => page.getByRole('article').filter({ hasText: 'valley.png' });

test('a picture bomb is not drawn on either side, which costs no memory, and can be saved', async ({
  relay,
  people,
  browser,
}) => {
  const file = bomb();
  expect(file.length).toBeLessThan(33_000);
  const [ana, bo] = await talking(relay.url, await people.one(), await people.one());
  const before = await peak(browser);
  await picker(ana).setInputFiles({ name: 'valley.png', mimeType: 'image/png', buffer: file });
  for (const page of [ana, bo]) {
    await expect(card(page)).toContainText('Too large to show: 16,000 × 16,000 pixels');
    await expect(card(page).getByRole('img')).toHaveCount(0);
  }
  const fetched = bo.waitForEvent('download');
  await card(bo).getByRole('button', { name: 'Download valley.png' }).click();
  const parts: Buffer[] = [];
  for await (const part of await (await fetched).createReadStream()) parts.push(part as Buffer);
  expect(Buffer.concat(parts).equals(file)).toBe(true);
  const kept = (await peak(browser)) - before;

  // The control: a page that draws it.
  const drawing = await (await people.one()).newPage();
  await drawing.setContent('<img style="width: 300px">');
  await drawing.locator('img').evaluate(async (img: HTMLImageElement, encoded) => {
    img.src = `data:image/png;base64,${encoded}`;
    await img.decode();
  }, file.toString('base64'));
  await drawing.screenshot();
  const drawn = (await peak(browser)) - before;
  test.info().annotations.push({ type: 'measured', description: `kept ${kept.toFixed(0)} MiB, drawn ${drawn.toFixed(0)} MiB` });
  expect(drawn).toBeGreaterThan(8 * Math.max(kept, 20));
});
