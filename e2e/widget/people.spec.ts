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

test('who asks to be let in under the name of a verified member is compared before, and holds nothing up', async ({ page }) => {
  await show(page, 'asks-in-as-known');
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveJSProperty('readOnly', false);
  await expect(page.getByText('Bo (eeee) asks to be let in')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Let in' })).toBeHidden();
  await page.getByRole('button', { name: 'Look' }).click();
  await page.getByRole('button', { name: 'Let in: Bo (eeee)' }).press('Enter');
  await expect(page.getByRole('alertdialog', { name: 'Bo (eeee) has another identity' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('alertdialog')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Let in: Bo (eeee)' })).toBeFocused();
  expect(await calls(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Let in unverified' }).click();
  expect(await calls(page)).toEqual([`approve ${'e'.repeat(32)}`]);
  await expect(page.getByRole('alertdialog')).toBeHidden();
});

test('another identity may be gone on with unverified', async ({ page }) => {
  await show(page, 'identity-changed');
  await expect(page.getByText('Without comparing, what you write goes to whoever this is.')).toBeVisible();
  await page.getByRole('button', { name: 'Go on unverified' }).click();
  await expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
  await expect(page.getByText('Compare the safety number')).toBeVisible();
});

/** A room of ours with Bo, Cleo, whom we verified, and Dana, who is away; nobody else may decide. */
async function showGroup(page: Page): Promise<void> {
  await show(page, 'group');
  await page.evaluate(() => {
    window.room.members[1]?.verify();
    window.room.setPresence(window.room.admit('Dana'), 'away');
  });
}

async function leave(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Leave room' }).click();
}

test('who made the room is asked, before it leaves, who decides then, and stays when the question is taken back', async ({
  page,
}) => {
  await showGroup(page);
  await leave(page);
  await expect(page.getByRole('heading', { name: 'Who decides when you are gone?' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Back' })).toBeFocused();
  // Only who is here can take over, and whom one verified comes first.
  await expect(page.getByRole('radio')).toHaveCount(2);
  await expect(page.getByRole('radio', { name: 'Cleo' })).toBeChecked();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'Who decides when you are gone?' })).toBeHidden();
  expect(await calls(page)).toEqual([]);

  await leave(page);
  await expect(page.getByRole('button', { name: 'Back' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('radio', { name: 'Bo' })).toBeChecked();
  await page.getByRole('button', { name: 'Hand over to Bo and leave' }).press('Enter');
  await expect(page.getByRole('button', { name: 'Create a room' })).toBeVisible();
  expect(await calls(page)).toEqual([`leave ${bo}`]);
});

test('a room that could not be handed over is not left, and why is told', async ({ page }) => {
  await showGroup(page);
  await page.evaluate(() => window.room.refuseHandOver());
  await leave(page);
  await page.getByRole('button', { name: 'Hand over to Cleo and leave' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'The other side did not answer' })).toBeVisible();
  await expect(page.getByRole('log').getByText('Shall we start?')).toBeVisible();
});

test('a room in which everyone is away can be left, knowing that nobody will decide', async ({ page }) => {
  await showGroup(page);
  await page.evaluate(() => {
    for (const member of window.room.members) window.room.setPresence(member, 'away');
  });
  await leave(page);
  await expect(page.getByText('Everyone is away, so nobody can take that over now.')).toBeVisible();
  await page.getByRole('button', { name: 'Leave without handing over' }).click();
  await expect(page.getByRole('button', { name: 'Create a room' })).toBeVisible();
  expect(await calls(page)).toEqual(['leave']);
});

test('nobody is asked who is not the one who made the room, or who has named a delegate', async ({ page }) => {
  await show(page, 'asks-in');
  await leave(page);
  await expect(page.getByRole('button', { name: 'Create a room' })).toBeVisible();
  expect(await calls(page)).toEqual(['leave']);
});

test('somebody of a known name under another key, whom nobody verified, is told of', async ({ page }) => {
  await showGroup(page);
  await page.evaluate(() => window.room.comeUnderKnownName());
  await expect(page.getByRole('log').getByText('Bo comes with another key than at your last visit')).toBeVisible();
});

test('a room for more than two may be made so that everyone is asked about', async ({ page }) => {
  await show(page, 'setup');
  const ask = page.getByRole('checkbox', { name: 'Ask me before anyone comes in' });
  await expect(ask).toBeHidden();
  await page.getByRole('button', { name: 'One person more' }).click();
  await ask.press('Space');
  await expect(ask).toBeChecked();
});

test('a newcomer is told that somebody has to let it in', async ({ page }) => {
  await show(page, 'entering');
  await expect(page.getByRole('heading', { name: 'Waiting to be let in' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeHidden();
});
