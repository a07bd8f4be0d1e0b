import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message, VoiceMessage } from '@qsec2/sdk';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installedFirefox } from '../scripts/firefox.mjs';
import { Site, twoLines } from './support/host-page.ts';
import { RelayProcess } from './support/relay-process.ts';

/** Two people in Firefox, driven over WebDriver BiDi, on a page of another origin than the relay's. */

declare global {
  /** The voice message that came. */
  var heard: VoiceMessage;
}

const executablePath = installedFirefox();
const WAIT_MS = 30_000;
/** By the clock: a page that is not in front draws nothing, and looks at nothing that is drawn. */
const LOOKING = { timeout: WAIT_MS, polling: 100 };

let browser: Browser;
let relay: RelayProcess;
let site: Site;
let folder: string;

/** Something inside of the widget. */
const within = (page: Page, selector: string) => page.locator(`qsec2-chat >>> ${selector}`).setTimeout(WAIT_MS);
/** A click on the element itself: of the pages of several people only one is in front, and only there a pointer finds what it is to hit. */
async function click(page: Page, selector: string): Promise<void> {
  const found = await page.waitForSelector(`qsec2-chat >>> ${selector}`, { timeout: WAIT_MS });
  await found?.evaluate((element) => (element as HTMLElement).click());
}
const labelled = (label: string) => `button[aria-label="${label}"]`;

/** Waits until an element of the widget says so. */
const says = (page: Page, selector: string, text: RegExp) =>
  page.waitForFunction(
    (selector, text) => {
      const found = [...(document.querySelector('qsec2-chat')?.shadowRoot?.querySelectorAll(selector) ?? [])];
      return found.some((element) => `${element.getAttribute('aria-label') ?? ''} ${element.textContent}`.match(text));
    },
    LOOKING,
    selector,
    text.source,
  );

async function inviteOf(page: Page): Promise<string> {
  const found = await page.waitForFunction(() => {
    const fields = document.querySelector('qsec2-chat')?.shadowRoot?.querySelectorAll('input') ?? [];
    return [...fields].map(({ value }) => value).find((value) => value.includes('#q2.'));
  }, LOOKING);
  return (await found.jsonValue()) as string;
}

async function person(url: string): Promise<Page> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

describe.skipIf(!executablePath)(
  `Firefox${executablePath ? '' : ' (skipped: it is not installed)'}`,
  { timeout: 180_000 },
  () => {
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'qsec2-firefox-'));
      writeFileSync(join(folder, 'a.txt'), 'nine byte');
      relay = await RelayProcess.start();
      site = await Site.page(twoLines(relay.url));
      browser = await puppeteer.launch({
        browser: 'firefox',
        executablePath: executablePath ?? '',
        headless: true,
        // A microphone that beeps, and nobody to be asked.
        extraPrefsFirefox: {
          'media.navigator.streams.fake': true,
          'media.navigator.permission.disabled': true,
        },
      });
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      await site?.close();
      await relay?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it('carries a text, a file and a voice message on a page of another origin', async () => {
      const ana = await person(site.url);
      await click(ana, 'button.launcher');
      await click(ana, '::-p-text(Create a room)');
      const bo = await person(await inviteOf(ana));
      for (const page of [ana, bo]) await says(page, 'button', /Encrypted\. Open security details/);
      expect(new URL(bo.url()).hash).toBe('');

      await bo.evaluate(() => {
        addEventListener('qsec2-message', (event) => {
          const { voice } = (event as CustomEvent<{ message: Message }>).detail.message;
          if (voice) globalThis.heard = voice;
        });
      });
      await within(ana, 'textarea').fill('hello from Firefox');
      await click(ana, labelled('Send'));
      await says(bo, '[role="log"]', /hello from Firefox/);

      const picker = await ana.waitForSelector('qsec2-chat >>> input[type="file"]', { timeout: WAIT_MS });
      await (picker as Awaited<ReturnType<typeof ana.$<'input'>>>)?.uploadFile(join(folder, 'a.txt'));
      await says(bo, 'button', /Download a\.txt/);

      await click(ana, labelled('Record a voice message'));
      await says(ana, '[role="timer"]', /0:0[1-9]/);
      await click(ana, `qsec2-recorder ${labelled('Send')}`);
      await says(bo, 'qsec2-voice', /Not played yet/);
      // Not played: that takes a sound card.
      const seconds = await bo.evaluate(async () => {
        const content = await (await globalThis.heard.blob()).arrayBuffer();
        return (await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(content)).duration;
      });
      expect(seconds).toBeGreaterThan(0.5);
    });
  },
);
