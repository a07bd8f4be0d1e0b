import { type Browser, type BrowserContext, expect, type Frame, type Page } from '@playwright/test';
import { microphone, recorded, recorder, voice } from './people.ts';

/** Two people who say everything that can be said, on a page that holds the widget. */

export interface Place {
  /** Where the chat is opened. */
  url: string;
  /** Where the chat is on the page. Default: the page itself. */
  frame?: (page: Page) => Promise<Page | Frame>;
  end(): Promise<unknown>;
}

/** What a browser said of the page's policy, wherever the chat is on it. */
async function brokenPolicies(page: Page): Promise<string[]> {
  const broken: string[] = [];
  await page.exposeFunction('policyBroken', (directive: string) => broken.push(directive));
  await page.addInitScript("addEventListener('securitypolicyviolation', (event) => policyBroken(event.violatedDirective))");
  return broken;
}

/**
 * Keys are agreed, a text, a file and a voice message cross, and the list of people is looked at.
 *
 * @param prepare a person's page, before anything is loaded
 * @returns what the page's policy forbade
 */
export async function everythingCrosses(
  browser: Browser,
  place: Place,
  prepare?: (page: Page) => Promise<unknown>,
): Promise<string[]> {
  const contexts: BrowserContext[] = [];
  const broken: string[][] = [];
  const open = async (url: string) => {
    const context = await browser.newContext({ permissions: ['microphone'] });
    contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => {
      throw error;
    });
    await prepare?.(page);
    broken.push(await brokenPolicies(page));
    await page.goto(url);
    return (await place.frame?.(page)) ?? page;
  };
  try {
    const ana = (await open(place.url)) as Page;
    await ana.getByRole('button', { name: 'Open private chat' }).click();
    await ana.getByRole('button', { name: 'Create a room' }).click();
    const invite = ana.getByRole('textbox', { name: 'Invite link' });
    await expect(invite).toHaveValue(/#q2\./);
    const link = await invite.inputValue();
    const bo = (await open(place.url)) as Page;
    await bo.getByRole('button', { name: 'Open private chat' }).click();
    await bo.getByRole('textbox', { name: 'Invite link' }).fill(link);
    await bo.getByRole('button', { name: 'Join' }).click();
    for (const page of [ana, bo]) {
      await expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
    }
    await ana.getByRole('textbox', { name: 'Message' }).fill('hello from here');
    await ana.getByRole('textbox', { name: 'Message' }).press('Enter');
    await expect(bo.getByRole('log').getByText('hello from here', { exact: true })).toBeVisible();

    await ana
      .locator('qsec2-chat input[type=file]')
      .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('nine byte') });
    await expect(bo.getByRole('button', { name: 'Download a.txt' })).toBeVisible();

    await microphone(ana).click();
    await recorded(ana, 1);
    await recorder(ana).getByRole('button', { name: 'Send' }).click();
    await voice(bo).getByRole('button', { name: 'Play' }).click();
    await expect(voice(bo).getByText('Not played yet')).toHaveCount(0);

    await bo.getByRole('button', { name: 'More' }).click();
    await bo.getByRole('menuitem', { name: 'People' }).click();
    await expect(bo.getByRole('heading', { name: 'People' })).toBeVisible();
    return broken.flat();
  } finally {
    for (const context of contexts) await context.close();
  }
}
