import { type Browser, expect, type Page, test } from '@playwright/test';
import { RelayProcess } from '../support/relay-process.ts';
import { type HostServer, startHostServer, WAYS } from './host-server.ts';

/** What pages do to the element: they take it out and put it back, set properties before it is defined, change its mode. */

interface Chat extends HTMLElement {
  [property: string]: unknown;
  open(): Promise<void>;
  close(): Promise<void>;
  toggle(): Promise<void>;
}

declare global {
  interface Window {
    el: Chat;
    heard: string[];
  }
}

let host: HostServer;
let relay: RelayProcess;

test.beforeAll(async () => {
  host = await startHostServer();
  relay = await RelayProcess.start();
});

test.afterAll(async () => {
  await host.close();
  await relay.stop();
});

const tag = (attributes = '') =>
  `<main style="block-size:600px"><qsec2-chat relay="${relay.url}" ${attributes}></qsec2-chat></main>`;

const launcher = (page: Page) => page.locator('qsec2-chat button.launcher');
const secured = (page: Page) => expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
const bubble = (page: Page, text: string) => page.getByRole('log').getByText(text, { exact: true });

async function visit(browser: Browser, address: string, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await prepare?.(page);
  await page.goto(address);
  await page.waitForFunction(() => customElements.get('qsec2-chat') && document.querySelector('qsec2-chat.hydrated'));
  await page.evaluate(() => {
    window.el = document.querySelector('qsec2-chat') as Chat;
  });
  return page;
}

async function create(page: Page): Promise<string> {
  await page.evaluate(() => window.el.open());
  await page.getByRole('button', { name: 'Create a room' }).click();
  const link = page.getByRole('textbox', { name: 'Invite link' });
  await expect(link).toHaveValue(/#/);
  return link.inputValue();
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

const takeOut = (page: Page) => page.evaluate(() => window.el.remove());
const putBack = (page: Page) => page.evaluate(() => document.querySelector('main')?.append(window.el));

test.describe('an element that is out of the page', () => {
  for (const mode of ['floating', 'inline'] as const) {
    test(`keeps its room while it is away for a moment, ${mode}`, async ({ browser }) => {
      const address = host.page(tag(`mode="${mode}"`));
      const ana = await visit(browser, address);
      const link = await create(ana);
      const bo = await visit(browser, link);
      await Promise.all([secured(ana), secured(bo)]);
      await say(bo, 'before');
      await expect(bubble(ana, 'before')).toBeVisible();

      await takeOut(ana);
      await say(bo, 'meanwhile');
      // Bo hears that it arrived: the room is open without the element.
      await expect(bo.getByText('Delivered')).toHaveCount(2);
      await putBack(ana);
      await secured(ana);
      await expect(bubble(ana, 'meanwhile')).toBeVisible();
      await say(ana, 'after');
      await expect(bubble(bo, 'after')).toBeVisible();
      await expect(bo.getByText('left', { exact: false })).toHaveCount(0);
    });

    test(`says that its room has ended when it was away for long, and starts anew, ${mode}`, async ({ browser }) => {
      const page = await visit(browser, host.page(tag(`mode="${mode}"`)), (fresh) => fresh.clock.install());
      const first = await create(page);
      // Only the time that is meant goes by, however long the machine takes.
      await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1000);
      await takeOut(page);
      await page.clock.runFor(7900);
      await putBack(page);
      await page.clock.resume();
      await expect(page.getByRole('textbox', { name: 'Invite link' })).toHaveValue(first);

      await takeOut(page);
      await page.clock.fastForward(8100);
      await putBack(page);
      await expect(page.getByRole('heading', { name: 'This room has ended' })).toBeVisible();
      await page.getByRole('button', { name: 'Start again' }).click();
      await page.getByRole('button', { name: 'Create a room' }).click();
      await expect(page.getByRole('textbox', { name: 'Invite link' })).toHaveValue(/#/);
      await expect(page.getByRole('textbox', { name: 'Invite link' })).not.toHaveValue(first);
      if (mode === 'floating') await expect(launcher(page)).toHaveAccessibleName('Close private chat');
    });
  }

  test('stays at the start when there was no room', async ({ browser }) => {
    const page = await visit(browser, host.page(tag('mode="inline"')), (fresh) => fresh.clock.install());
    await page.getByRole('button', { name: 'Create a room' }).waitFor();
    await takeOut(page);
    await page.clock.fastForward(60_000);
    await putBack(page);
    await expect(page.getByRole('button', { name: 'Create a room' })).toBeVisible();
  });

  test('takes an invite out of the address when it comes back', async ({ browser }) => {
    const address = host.page(tag());
    const ana = await visit(browser, address);
    const code = new URL(await create(ana)).hash;
    const bo = await visit(browser, address);
    await takeOut(bo);
    await bo.evaluate((hash) => {
      location.hash = hash;
    }, code);
    await putBack(bo);
    await Promise.all([secured(ana), secured(bo)]);
    expect(new URL(bo.url()).hash).toBe('');
  });

  test('is at the newest message again', async ({ browser }) => {
    const ana = await visit(browser, host.page(tag()));
    const bo = await visit(browser, await create(ana));
    await Promise.all([secured(ana), secured(bo)]);
    for (let i = 0; i < 14; i += 1) await say(bo, `line ${i}\n\n`);
    await expect(bubble(ana, 'line 13')).toBeInViewport();
    await takeOut(ana);
    await putBack(ana);
    await expect(bubble(ana, 'line 13')).toBeInViewport();
  });
});

test.describe('launcher and panel', () => {
  const STEPS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
    open: (page) => page.evaluate(() => window.el.open()),
    close: (page) => page.evaluate(() => window.el.close()),
    toggle: (page) => page.evaluate(() => window.el.toggle()),
    'open and close at once': (page) => page.evaluate(() => Promise.all([window.el.open(), window.el.close()])),
    inline: (page) => page.evaluate(() => window.el.setAttribute('mode', 'inline')),
    fullscreen: (page) => page.evaluate(() => window.el.setAttribute('mode', 'fullscreen')),
    floating: (page) => page.evaluate(() => window.el.setAttribute('mode', 'floating')),
    out: takeOut,
    in: putBack,
    'closed by a script': (page) => page.evaluate(() => window.el.shadowRoot?.querySelector('dialog')?.close()),
    'moved in one go': (page) => page.evaluate(() => document.body.append(window.el)),
  };
  const WALKS = [
    'open, inline, floating',
    'inline, floating, close, open',
    'inline, close, floating, close',
    'open, out, in, close, open',
    'open, out, close, in, open',
    'out, open, in, close',
    'open, close, inline, floating, toggle, toggle',
    'open, closed by a script, toggle, close',
    'open and close at once, open, out, inline, in, floating',
    'open, fullscreen, out, floating, in, toggle',
    'open, moved in one go, close, moved in one go, open',
    'open, open and close at once, toggle',
  ];

  for (const [name, size] of [
    ['desktop', { width: 1024, height: 700 }],
    ['phone', { width: 390, height: 780 }],
  ] as const) {
    for (const walk of WALKS) {
      test(`agree on a ${name} after: ${walk}`, async ({ browser }) => {
        const page = await visit(browser, host.page(tag()), async (fresh) => {
          await fresh.setViewportSize(size);
          await fresh.emulateMedia({ reducedMotion: 'reduce' });
        });
        let out = false;
        for (const step of walk.split(', ')) {
          // What waits for the element to be in a page is not waited for.
          const done = STEPS[step]?.(page);
          if (!done) throw new Error(`no step ${step}`);
          await done;
          if (step === 'out') out = true;
          if (step === 'in' || step === 'moved in one go') out = false;
          if (!out) await expectAgreement(page, name === 'phone');
        }
      });
    }
  }

  /** The launcher says what stands open, and on a phone what stands open is on top of everything. */
  async function expectAgreement(page: Page, phone: boolean): Promise<void> {
    await expect
      .poll(() =>
        page.evaluate((modal) => {
          const root = window.el.shadowRoot;
          const button = root?.querySelector('button.launcher');
          const dialog = root?.querySelector('dialog');
          const section = root?.querySelector('section.panel');
          if (window.el.getAttribute('mode') !== 'floating') return !button && section ? 'agree' : 'no panel in the page';
          const open = dialog?.open === true && dialog.checkVisibility();
          if (open && modal && !dialog.matches(':modal')) return 'not modal';
          const said =
            button?.getAttribute('aria-expanded') === 'true' && button.getAttribute('aria-label') === 'Close private chat';
          return said === open ? 'agree' : `says ${said}, is ${open}`;
        }, phone),
      )
      .toBe('agree');
  }

  test('go by the last call', async ({ browser }) => {
    const page = await visit(browser, host.page(tag()));
    await page.evaluate(() => {
      void window.el.open();
      void window.el.close();
      void window.el.open();
    });
    await expect(launcher(page)).toHaveAttribute('aria-expanded', 'true');
    await page.evaluate(() => {
      void window.el.close();
      void window.el.open();
      void window.el.close();
    });
    await expect(launcher(page)).toHaveAttribute('aria-expanded', 'false');
  });
});

for (const [way, widget] of Object.entries(WAYS)) {
  test.describe(`properties set before the element is defined, with ${way}`, () => {
    const SET = {
      relay: 'https://relay.example',
      mode: 'inline',
      theme: 'dark',
      invite: '',
      name: 'Ana',
      linkBase: 'https://app.example/',
      keyAgreement: { threshold: 0.02 },
      dictionary: { create: 'Open a room' },
    };

    test('are all kept', async ({ browser }) => {
      const early = `document.addEventListener('readystatechange', () => Object.assign(document.querySelector('qsec2-chat'), ${JSON.stringify(SET)}), { once: true })`;
      const page = await visit(
        browser,
        host.page('<main><qsec2-chat name="attribute"></qsec2-chat></main>', { script: early, widget }),
      );
      const names = Object.keys(SET);
      expect(await page.evaluate((all) => Object.fromEntries(all.map((name) => [name, window.el[name]])), names)).toEqual(SET);
      await expect(page.getByRole('textbox', { name: 'Your name' })).toHaveValue('Ana');
      await expect(page.getByRole('button', { name: 'Open a room' })).toBeVisible();
      await page.evaluate(() => {
        window.el.name = 'Anna';
      });
      await expect(page.getByRole('textbox', { name: 'Your name' })).toHaveValue('Anna');
    });

    test('are kept by an element that was made and put in before', async ({ browser }) => {
      const script = `addEventListener('DOMContentLoaded', () => {
        const chat = document.createElement('qsec2-chat');
        Object.assign(chat, ${JSON.stringify(SET)});
        document.querySelector('main').append(chat);
      })`;
      const page = await visit(browser, host.page('<main></main>', { script, widget }));
      expect(
        await page.evaluate((all) => Object.fromEntries(all.map((name) => [name, window.el[name]])), Object.keys(SET)),
      ).toEqual(SET);
    });

    test('a stricter threshold stops the exchange that it is there to stop', async ({ browser }) => {
      const ana = await visit(browser, host.page(tag(), { widget }));
      const link = await create(ana);
      // The simulated channel flips 1.5 % of the photons' bits.
      const script = `document.addEventListener('readystatechange', () => {
        document.querySelector('qsec2-chat').keyAgreement = { threshold: 0.005 };
      }, { once: true })`;
      const strict = host.page(tag(), { script, widget });
      const bo = await visit(browser, strict + new URL(link).hash);
      await expect(bo.getByRole('alert').filter({ hasText: 'Key exchange stopped.' })).toContainText('above the 0.5');
    });
  });
}

test.describe('an invite that the page sets later', () => {
  test('is followed, and once', async ({ browser }) => {
    const ana = await visit(browser, host.page(tag()));
    const link = await create(ana);
    const bo = await visit(browser, host.page(tag()));
    await bo.evaluate((invite) => {
      window.el.invite = invite;
    }, link);
    await expect(launcher(bo)).toHaveAttribute('aria-expanded', 'false');
    await bo.evaluate(() => window.el.open());
    await Promise.all([secured(ana), secured(bo)]);

    await bo.evaluate((invite) => {
      window.el.setAttribute('invite', `${invite}`.replace('#', '?again#'));
    }, link);
    await expect(bo.getByText('You opened another invite.')).toBeHidden();

    await bo.getByRole('button', { name: 'More' }).click();
    await bo.getByRole('menuitem', { name: 'Leave room' }).click();
    await bo.evaluate(async () => {
      await window.el.close();
      await window.el.open();
    });
    await expect(bo.getByRole('button', { name: 'Create a room' })).toBeVisible();
  });

  test('is followed by a panel that is open', async ({ browser }) => {
    const ana = await visit(browser, host.page(tag()));
    const link = await create(ana);
    const bo = await visit(browser, host.page(tag('mode="inline"')));
    await bo.getByRole('button', { name: 'Create a room' }).waitFor();
    await bo.evaluate((invite) => {
      window.el.invite = invite;
    }, link);
    await Promise.all([secured(ana), secured(bo)]);
  });
});
