import { expect, type Page, test } from '@playwright/test';
import { type SceneServer, startSceneServer } from './scene-server.ts';

let server: SceneServer;

test.beforeAll(async () => {
  server = await startSceneServer();
});

test.afterAll(async () => {
  await server.close();
});

async function show(page: Page, scene: string): Promise<void> {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(`${server.url}/?scene=${scene}`);
  await page.locator('html[data-ready]').waitFor();
}

const calls = (page: Page) => page.evaluate(() => window.room.calls.filter((call) => !call.startsWith('typing')));
const cleo = 'cleo'.padEnd(32, '0');
const bo = 'bo'.padEnd(32, '0');

test('somebody who asks is let in from the banner', async ({ page }) => {
  await show(page, 'asks-in');
  await expect(page.getByText('Cleo asks to be let in')).toBeVisible();
  await page.getByRole('button', { name: 'Let in' }).click();
  expect(await calls(page)).toEqual([`approve ${cleo}`]);
  await expect(page.getByText('Cleo asks to be let in')).toBeHidden();
});

test('a member is removed by keyboard alone, after a question that can be taken back', async ({ page }) => {
  await show(page, 'asks-in');
  await page.getByRole('button', { name: 'Look' }).press('Enter');
  await expect(page.getByRole('button', { name: 'Back' })).toBeFocused();
  await page.getByRole('button', { name: 'Actions for Bo' }).press('Enter');
  await expect(page.getByRole('button', { name: 'Let them decide no more' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alertdialog', { name: 'Remove Bo?' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('alertdialog')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Actions for Bo' })).toBeFocused();
  expect(await calls(page)).toEqual([]);

  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Let them decide no more' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Actions for Bo' })).toBeHidden();
  expect(await calls(page)).toEqual([`remove ${bo}`]);
  await page.keyboard.press('Escape');
  await expect(page.getByText('Bo was removed. The room has a new link')).toBeVisible();
  await expect(page.getByText('Bo left')).toBeHidden();
});

test('rights are given and taken back, and the room is opened', async ({ page }) => {
  await show(page, 'asks-in');
  await page.getByRole('button', { name: 'Look' }).click();
  await page.getByRole('button', { name: 'Actions for Dana' }).click();
  await page.getByRole('button', { name: 'Let them decide, too' }).click();
  await page.getByRole('button', { name: 'Actions for Bo' }).click();
  await page.getByRole('button', { name: 'Let them decide no more' }).click();
  const lock = page.getByRole('switch', { name: 'Ask before anyone new comes in' });
  await expect(lock).toHaveAttribute('aria-checked', 'true');
  await lock.press('Space');
  await expect(lock).toHaveAttribute('aria-checked', 'false');
  await expect(lock).toBeFocused();
  expect(await calls(page)).toEqual([`delegate ${'dana'.padEnd(32, '0')} approve lock remove`, `delegate ${bo}`, 'unlock']);
});

test('another identity under a known name locks the conversation until it is verified', async ({ page }) => {
  await show(page, 'identity-changed');
  await expect(page.getByRole('alert').filter({ hasText: 'Bo has another identity' })).toBeVisible();
  await expect(page.getByText('19442 04167')).toBeVisible();
  await expect(page.getByText('76286 49158')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveJSProperty('readOnly', true);
  await page.getByRole('button', { name: 'Mark as verified' }).click();
  await expect(page.getByRole('button', { name: 'Verified. Open security details' })).toBeVisible();
  await page.getByRole('textbox', { name: 'Message' }).fill('so it is you');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('log').getByText('so it is you')).toBeVisible();
});

test('a newcomer is told that somebody has to let it in', async ({ page }) => {
  await show(page, 'entering');
  await expect(page.getByRole('heading', { name: 'Waiting to be let in' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeHidden();
});
