import { type Browser, type BrowserContext, type BrowserContextOptions, expect, type Locator, type Page } from '@playwright/test';

/** People who use the widget, each in a browser context of their own, with Chromium's fake microphone. */
export class People {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** @param script runs in every page of this person before anything else does */
  async one(options: BrowserContextOptions = {}, script?: () => void): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ permissions: ['microphone'], ...options });
    this.#contexts.push(context);
    if (script) await context.addInitScript(script);
    return context;
  }

  async close(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
  }
}

/** A page in which nothing may go wrong unseen. */
export async function pageOf(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  return page;
}

/** Pages of two people whose keys are agreed. */
export async function talking(url: string, first: BrowserContext, second: BrowserContext): Promise<[Page, Page]> {
  const ana = await pageOf(first);
  await ana.goto(url);
  await ana.getByRole('button', { name: 'Open private chat' }).click();
  await ana.getByRole('button', { name: 'Create a room' }).click();
  const invite = ana.getByRole('textbox', { name: 'Invite link' });
  await expect(invite).toHaveValue(/#/);
  const link = await invite.inputValue();
  const bo = await pageOf(second);
  await bo.goto(link);
  for (const page of [ana, bo]) {
    await expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
  }
  return [ana, bo];
}

export const recorder = (page: Page): Locator => page.getByRole('group', { name: 'Voice message' });
export const microphone = (page: Page): Locator => page.getByRole('button', { name: 'Record a voice message' });
export const voice = (page: Page): Locator => page.getByRole('article', { name: /Voice message/ });
export const picker = (page: Page): Locator => page.locator('qsec2-chat input[type=file]');

/** Records until the time shown is `seconds` at least. */
export async function recorded(page: Page, seconds: number): Promise<void> {
  await expect
    .poll(async () => Number((await page.getByRole('timer').textContent())?.split(':')[1]))
    .toBeGreaterThanOrEqual(seconds);
}
