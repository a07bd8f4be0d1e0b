import { expect, type Page } from '@playwright/test';
import type { Site } from './support/host-page.ts';
import { type People, pageOf } from './support/people.ts';
import { test } from './support/widget-test.ts';

/** Who made a room decides about the people in it: several browsers over a real relay. */

/** Where people are, and how one more comes. */
interface Place {
  site: Site;
  people: People;
}

async function person({ site, people }: Place, name: string): Promise<Page> {
  const page = await pageOf(await people.one({ permissions: ['clipboard-read', 'clipboard-write'] }));
  await page.goto(site.url);
  await page.getByRole('button', { name: 'Open private chat' }).click();
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  return page;
}

/** Ana with a room for four, and its link. */
async function creator(place: Place): Promise<{ ana: Page; link: string }> {
  const ana = await person(place, 'Ana');
  for (let places = 2; places < 4; places++) await ana.getByRole('button', { name: 'One person more' }).click();
  await ana.getByRole('button', { name: 'Create a room' }).click();
  const invite = ana.getByRole('textbox', { name: 'Invite link' });
  await expect(invite).toHaveValue(/#/);
  return { ana, link: await invite.inputValue() };
}

async function join(place: Place, name: string, link: string): Promise<Page> {
  const page = await person(place, name);
  await page.getByRole('textbox', { name: 'Invite link' }).fill(link);
  await page.getByRole('button', { name: 'Join' }).click();
  return page;
}

const secured = (page: Page) => expect(page.getByRole('button', { name: /Open security details/ })).toHaveText('Encrypted');

async function showPeople(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'People' }).click();
  await expect(page.getByRole('heading', { name: 'People' })).toBeVisible();
}

const back = (page: Page) => page.getByRole('button', { name: 'Back' }).click();

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

const bubble = (page: Page, text: string) => page.getByRole('log').getByText(text, { exact: true });

test('a removed member is told so; the others go on, by a new link that lets in and an old one that does not', async ({
  site,
  people,
}) => {
  const place = { site, people };
  const { ana, link } = await creator(place);
  const bo = await join(place, 'Bo', link);
  await Promise.all([secured(ana), secured(bo)]);
  const cy = await join(place, 'Cy', link);
  await secured(cy);
  await showPeople(ana);
  await ana.getByRole('button', { name: 'Actions for Cy' }).click();
  await ana.getByRole('button', { name: 'Remove from the room' }).click();
  await expect(ana.getByRole('alertdialog', { name: 'Remove Cy?' })).toBeVisible();
  await ana.getByRole('button', { name: 'Remove', exact: true }).click();

  await expect(cy.getByText('You were removed from this room')).toBeVisible();
  await expect(ana.getByRole('button', { name: 'Actions for Cy' })).toBeHidden();
  await back(ana);
  await expect(ana.getByText('Cy was removed. The room has a new link')).toBeVisible();
  await expect(bo.getByText('Cy was removed. The room has a new link')).toBeVisible();
  await say(ana, 'the two of us');
  await expect(bubble(bo, 'the two of us')).toBeVisible();
  await say(bo, 'as you say');
  await expect(bubble(ana, 'as you say')).toBeVisible();

  const late = await join(place, 'Di', link);
  await expect(late.getByText('This room was not found')).toBeVisible();
  await ana.getByRole('button', { name: 'More' }).click();
  await ana.getByRole('menuitem', { name: 'Copy invite link' }).click();
  await expect.poll(() => ana.evaluate(() => navigator.clipboard.readText())).toMatch(/#q2\./);
  const renewed = await ana.evaluate(() => navigator.clipboard.readText());
  expect(renewed).not.toBe(link);
  const di = await join(place, 'Di', renewed);
  await secured(di);
  // What is said before the keys with Bo are there is not said to Bo.
  await expect(di.getByText('3 of 4 here')).toBeVisible();
  await say(di, 'found you');
  await expect(bubble(bo, 'found you')).toBeVisible();
  await expect(bubble(cy, 'the two of us')).toHaveCount(0);
});

test('in a locked room somebody asks and is let in, by a member who was given the right', async ({ site, people }) => {
  const place = { site, people };
  const { ana, link } = await creator(place);
  const bo = await join(place, 'Bo', link);
  await Promise.all([secured(ana), secured(bo)]);
  await showPeople(ana);
  await ana.getByRole('button', { name: 'Actions for Bo' }).click();
  await ana.getByRole('button', { name: 'Let them decide, too' }).click();
  await expect(ana.getByText('Decides with the creator')).toBeVisible();
  const lock = ana.getByRole('switch', { name: 'Ask before anyone new comes in' });
  await lock.click();
  await expect(lock).toHaveAttribute('aria-checked', 'true');

  const cy = await join(place, 'Cy', link);
  await expect(cy.getByText('Waiting to be let in')).toBeVisible();
  await expect(bo.getByText('Cy asks to be let in')).toBeVisible();
  await bo.getByRole('button', { name: 'Let in' }).click();
  await secured(cy);
  await say(cy, 'thank you');
  await expect(bubble(bo, 'thank you')).toBeVisible();
  await back(ana);
  await expect(bubble(ana, 'thank you')).toBeVisible();
});
