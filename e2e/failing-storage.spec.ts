import { type Browser, expect, type Page, test } from '@playwright/test';
import type * as Sdk from '@qsec2/sdk';
import { RelayProcess } from './support/relay-process.ts';
import { sdkPage } from './support/sdk-page.ts';

/** A browser whose storage fails, at every step: a page that wants its room kept is told so in seconds, and never waits for good. */

declare global {
  var qsec2: typeof Sdk;
  var room: Sdk.Room;
}

let relay: RelayProcess;
let site: Awaited<ReturnType<typeof sdkPage>>;

test.beforeAll(async () => {
  site = await sdkPage();
  relay = await RelayProcess.start();
});

test.afterAll(async () => {
  await relay.stop();
  await site.remove();
});

/** A page with the SDK, on which `sabotage` ran first. What it throws outside of a call counts as a failure. */
async function sabotaged(browser: Browser, sabotage: () => void): Promise<{ page: Page; uncaught: Error[] }> {
  const page = await (await browser.newContext()).newPage();
  const uncaught: Error[] = [];
  page.on('pageerror', (error) => uncaught.push(error));
  await page.addInitScript(sabotage);
  await page.goto(site.url);
  await page.waitForFunction(() => globalThis.qsec2 !== undefined);
  return { page, uncaught };
}

/** How entering a room that is to be kept ends. */
const entering = (page: Page, persist: 'session' | 'device' = 'device') =>
  page.evaluate(
    async ([relay, persist]) => {
      const { connect } = globalThis.qsec2;
      try {
        globalThis.room = await connect({ relay, persist });
        return 'entered';
      } catch (error) {
        return (error as Sdk.QsecError).code;
      }
    },
    [relay.url, persist] as const,
  );

const SABOTAGE: Record<string, () => void> = {
  'does not open and never says so': () => {
    IDBFactory.prototype.open = () => new EventTarget() as unknown as IDBOpenDBRequest;
  },
  'throws when it is opened': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('sandboxed', 'SecurityError');
    };
  },
  'is not there': () => {
    Object.defineProperty(globalThis, 'indexedDB', { value: undefined });
  },
  'has no room for the first write': () => {
    IDBObjectStore.prototype.put = function put() {
      this.transaction.abort();
      throw new DOMException('full', 'QuotaExceededError');
    };
  },
  'begins transactions that never end': () => {
    IDBDatabase.prototype.transaction = () =>
      ({
        objectStore: () => ({ get: () => ({}), getAll: () => ({}), getAllKeys: () => ({}), put: () => ({}), delete: () => ({}) }),
      }) as unknown as IDBTransaction;
  },
  'forgets what it was given': () => {
    IDBObjectStore.prototype.put = function put(value) {
      return this.get(String(value));
    };
  },
  'cannot say whether another tab has the room': () => {
    LockManager.prototype.request = () => new Promise(() => undefined);
  },
  'refuses locks': () => {
    LockManager.prototype.request = () => Promise.reject(new DOMException('no', 'SecurityError'));
  },
  'knows no locks': () => {
    Object.defineProperty(navigator, 'locks', { value: undefined });
  },
};

for (const [how, sabotage] of Object.entries(SABOTAGE)) {
  test(`a storage that ${how} is an error with a code`, async ({ browser }) => {
    const { page, uncaught } = await sabotaged(browser, sabotage);
    expect(await entering(page)).toBe('STORAGE_UNAVAILABLE');
    expect(uncaught).toEqual([]);
  });
}

test('a page without sessionStorage cannot keep a session', async ({ browser }) => {
  const { page } = await sabotaged(browser, () => {
    Storage.prototype.getItem = () => {
      throw new DOMException('no', 'SecurityError');
    };
  });
  expect(await entering(page, 'session')).toBe('STORAGE_UNAVAILABLE');
});

test('a storage that is full later is told of, and costs no message', async ({ browser }) => {
  const { page, uncaught } = await sabotaged(browser, () => undefined);
  expect(await entering(page)).toBe('entered');
  const told = await page.evaluate(async () => {
    const { room } = globalThis;
    IDBObjectStore.prototype.put = function put() {
      this.transaction.abort();
      throw new DOMException('full', 'QuotaExceededError');
    };
    const error = room.once('error');
    await room.send('said all the same');
    return { code: (await error).code, texts: room.history().map(({ text }) => text) };
  });
  expect(told).toEqual({ code: 'STORAGE_UNAVAILABLE', texts: ['said all the same'] });
  expect(uncaught).toEqual([]);
});

test('a tab that stands in the way of the storage, or has a newer one, is an error with a code', async ({ browser }) => {
  const { page: other } = await sabotaged(browser, () => undefined);
  const page = await other.context().newPage();
  // A connection that does not give way, and in front of us somebody who waits for it.
  await other.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open('qsec2', 1);
        request.onsuccess = () => {
          const asked = indexedDB.deleteDatabase('qsec2');
          asked.onblocked = () => resolve();
        };
      }),
  );
  await page.goto(site.url);
  await page.waitForFunction(() => globalThis.qsec2 !== undefined);
  expect(await entering(page)).toBe('STORAGE_UNAVAILABLE');

  const { page: newer } = await sabotaged(browser, () => undefined);
  await newer.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open('qsec2', 99);
        request.onsuccess = () => resolve();
      }),
  );
  expect(await entering(newer)).toBe('STORAGE_UNAVAILABLE');
});
