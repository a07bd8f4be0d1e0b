import { type Browser, expect, type Page, test } from '@playwright/test';
import { RelayProcess } from '../support/relay-process.ts';
import { type HostServer, startHostServer } from './host-server.ts';

/** Invite links on pages as they are: with routes behind the `#`, and at addresses that nobody else can open. */

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

const tag = (attributes = '') => `<qsec2-chat relay="${relay.url}" ${attributes}></qsec2-chat>`;

async function visit(browser: Browser, address: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(address);
  return page;
}

const secured = (page: Page) => expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();

test.describe('a page whose route stands behind the #', () => {
  /** A router as many pages have it: it shows its route, and listens for others. What it was shown is in the list. */
  const ROUTER = `
    window.routes = [];
    const route = () => window.routes.push(location.hash);
    addEventListener('popstate', route);
    addEventListener('hashchange', route);
  `;
  const routed = () => host.page(tag('mode="inline"'), { script: ROUTER });
  const routes = (page: Page) => page.evaluate(() => (window as unknown as { routes: string[] }).routes);

  async function create(browser: Browser, address: string): Promise<[Page, string]> {
    const page = await visit(browser, address);
    await page.getByRole('button', { name: 'Create a room' }).click();
    const link = page.getByRole('textbox', { name: 'Invite link' });
    await expect(link).toHaveValue(/q2\./);
    return [page, await link.inputValue()];
  }

  /** Everything that the browser's own back button leads to. */
  async function addressesBehind(page: Page): Promise<string[]> {
    const entries = await page.evaluate(() =>
      (window as unknown as { navigation: { entries(): { url: string }[] } }).navigation.entries().map(({ url }) => url),
    );
    return entries;
  }

  for (const route of ['', '#/chat/1', '#/chat/1?tab=2', '#!inbox', '#q=cats', '#users/5']) {
    test(`keeps ${route || 'no route'} when a link is opened`, async ({ browser }) => {
      const address = routed();
      const [ana, link] = await create(browser, address + route);
      const bo = await visit(browser, link);
      await Promise.all([secured(ana), secured(bo)]);
      expect(bo.url()).toBe(address + route);
      expect(await addressesBehind(bo)).toEqual([address + route]);
      expect(ana.url()).toBe(address + route);
    });
  }

  test('stays where it is when a link without a route is opened in it', async ({ browser }) => {
    const address = routed();
    const [ana, link] = await create(browser, address);
    const bo = await visit(browser, `${address}#/chat/1`);
    await bo.getByRole('button', { name: 'Create a room' }).waitFor();
    await bo.evaluate((hash) => {
      location.hash = hash;
    }, new URL(link).hash);
    await Promise.all([secured(ana), secured(bo)]);
    expect(bo.url()).toBe(`${address}#/chat/1`);
    expect((await addressesBehind(bo)).filter((url) => url.includes('q2.'))).toEqual([]);
    expect((await routes(bo)).filter((hash) => hash !== '#/chat/1')).toEqual([]);
  });

  test('goes to the route of a link that is opened in it', async ({ browser }) => {
    const address = routed();
    const [ana, link] = await create(browser, `${address}#/chat/2`);
    const bo = await visit(browser, `${address}#/chat/1`);
    await bo.getByRole('button', { name: 'Create a room' }).waitFor();
    await bo.evaluate((href) => {
      const anchor = Object.assign(document.createElement('a'), { href, textContent: 'link' });
      document.body.append(anchor);
      anchor.click();
    }, link);
    await Promise.all([secured(ana), secured(bo)]);
    expect(bo.url()).toBe(`${address}#/chat/2`);
    expect(await addressesBehind(bo)).toEqual([`${address}#/chat/1`, `${address}#/chat/2`]);
    expect(new Set(await routes(bo))).toEqual(new Set(['#/chat/2']));
  });

  test('keeps its route in a browser that tells of a change only after it', async ({ browser }) => {
    const address = host.page(tag('mode="inline"'), { script: `delete window.navigation; ${ROUTER}` });
    const [ana, link] = await create(browser, address);
    const bo = await visit(browser, `${address}#/chat/1`);
    await bo.getByRole('button', { name: 'Create a room' }).waitFor();
    expect(await bo.evaluate(() => 'navigation' in window)).toBe(false);
    await bo.evaluate((hash) => {
      location.hash = hash;
    }, new URL(link).hash);
    await Promise.all([secured(ana), secured(bo)]);
    expect(bo.url()).toBe(`${address}#/chat/1`);
    await bo.goBack();
    expect(bo.url()).toBe(`${address}#/chat/1`);
  });
});

test.describe('a page that nobody else can open', () => {
  const HEARD = `window.heard = []; for (const name of ['qsec2-invite', 'qsec2-error'])
    addEventListener(name, ({ type, detail }) => window.heard.push([type, detail.link, detail.code]));`;
  const inner = (attributes: string) =>
    `<!doctype html><script>${HEARD}</script><script type="module" src="${host.url}/cdn/qsec2-chat.js"></script>${tag(`mode="inline" ${attributes}`)}`;

  /** The document that holds the widget, and where to find it. */
  const PLACES: Readonly<Record<string, (page: Page, html: string) => Promise<Page>>> = {
    srcdoc: async (page, html) => {
      await page.evaluate((srcdoc) => document.body.append(Object.assign(document.createElement('iframe'), { srcdoc })), html);
      return page;
    },
    'about:blank': async (page, html) => {
      const [popup] = await Promise.all([
        page.waitForEvent('popup'),
        page.evaluate((text) => {
          // Put in piece by piece: a document that is written gets the address of the one that writes it.
          const opened = window.open('about:blank');
          const parsed = new DOMParser().parseFromString(text, 'text/html');
          for (const script of parsed.scripts) {
            const copy = document.createElement('script');
            for (const { name, value } of script.attributes) copy.setAttribute(name, value);
            copy.textContent = script.textContent;
            opened?.document.head.append(copy);
          }
          opened?.document.body.append(...parsed.querySelectorAll('qsec2-chat'));
        }, html),
      ]);
      return popup;
    },
    'blob:': async (page, html) => {
      await page.evaluate((text) => {
        const src = URL.createObjectURL(new Blob([text], { type: 'text/html' }));
        document.body.append(Object.assign(document.createElement('iframe'), { src }));
      }, html);
      return page;
    },
    'a sandbox': async (page, html) => {
      await page.evaluate((srcdoc) => {
        const frame = Object.assign(document.createElement('iframe'), { srcdoc });
        frame.setAttribute('sandbox', 'allow-scripts allow-forms');
        document.body.append(frame);
      }, html);
      return page;
    },
  };
  const inside = (page: Page) => (page.frames().length > 1 ? page.frameLocator('iframe') : page);
  const heard = (page: Page) =>
    (page.frames().at(-1) ?? page.mainFrame()).evaluate(() => (window as unknown as { heard: unknown[][] }).heard);

  for (const [place, show] of Object.entries(PLACES)) {
    test(`offers the code and says how to have a link: ${place}`, async ({ browser }) => {
      const page = await show(await visit(browser, host.page('')), inner(''));
      await inside(page).getByRole('button', { name: 'Create a room' }).click();
      const code = inside(page).getByRole('textbox', { name: 'Invite code' });
      await expect(code).toHaveValue(/^q2\.[\w-]{92}$/);
      await expect(inside(page).getByRole('note')).toContainText('link-base=');
      await expect(inside(page).getByRole('button', { name: 'Show QR code' })).toBeHidden();
      const told = await heard(page);
      expect(told).toContainEqual(['qsec2-invite', undefined, await code.inputValue()]);
      expect(told).toContainEqual(['qsec2-error', undefined, 'INVALID_ARGUMENT']);

      // The code lets someone in who pastes it.
      const bo = await visit(browser, host.page(tag('mode="inline"')));
      await bo.getByRole('textbox', { name: 'Invite link' }).fill(await code.inputValue());
      await bo.getByRole('button', { name: 'Join' }).click();
      await secured(bo);
    });

    test(`hands out the link of the page that it names: ${place}`, async ({ browser }) => {
      const outer = host.page(tag('mode="inline"'));
      const page = await show(await visit(browser, host.page('')), inner(`link-base="${outer}#/support"`));
      await inside(page).getByRole('button', { name: 'Create a room' }).click();
      const link = inside(page).getByRole('textbox', { name: 'Invite link' });
      await expect(link).toHaveValue(new RegExp(`^${outer}#/support\\?q2\\.`));
      await expect(inside(page).getByRole('note')).toHaveCount(0);
      expect(await heard(page)).toEqual([['qsec2-invite', await link.inputValue(), expect.any(String)]]);
      const bo = await visit(browser, await link.inputValue());
      await secured(bo);
      expect(bo.url()).toBe(`${outer}#/support`);
    });
  }

  test('a link-base that is no web address makes no link, and words say so; a better one mends it', async ({ browser }) => {
    const page = await visit(browser, host.page(tag('mode="inline" link-base="myapp://chat"')));
    await page.getByRole('button', { name: 'Create a room' }).click();
    await expect(page.getByRole('note')).toContainText('the page names an address that others cannot open');
    await page.evaluate(() => document.querySelector('qsec2-chat')?.setAttribute('link-base', '/rooms'));
    await expect(page.getByRole('textbox', { name: 'Invite link' })).toHaveValue(new RegExp(`^${host.url}/rooms#q2\\.`));
    await expect(page.getByRole('note')).toHaveCount(0);
  });
});
