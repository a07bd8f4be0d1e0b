import { expect, test } from '@playwright/test';
import { People, picker, talking } from './support/people.ts';
import { DEMO, RelayProcess } from './support/relay-process.ts';

/** Files between two people who use the widget, over a real relay. */

let relay: RelayProcess;
let people: People;

test.beforeAll(async () => {
  relay = await RelayProcess.start({ RELAY_DEMO_DIR: DEMO });
});

test.beforeEach(({ browser }) => {
  people = new People(browser);
});

test.afterEach(() => people.close());

test.afterAll(() => relay.stop());

test('files go out by the button, and arrive as they were; an empty one is refused in words', async () => {
  const [ana, bo] = await talking(relay.url, await people.one(), await people.one());
  const content = Buffer.from('What was agreed, word for word.\n'.repeat(4000));
  await picker(ana).setInputFiles([
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
