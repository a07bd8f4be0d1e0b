import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import type * as Sdk from '@qsec2/sdk';
import { findSecrets } from '../packages/relay/src/testing/secret-scan.ts';
import { RelayProcess } from './support/relay-process.ts';
import { sdkPage } from './support/sdk-page.ts';
import { expandLabel, hmac } from './threats/support/eavesdropper.ts';

/** Rooms that outlive a reload, in a real browser and over a real relay. */

declare global {
  var qsec2: typeof Sdk;
  var room: Sdk.Room;
}

let relay: RelayProcess;
let site: Awaited<ReturnType<typeof sdkPage>>;
const contexts: BrowserContext[] = [];

test.beforeAll(async () => {
  site = await sdkPage();
  relay = await RelayProcess.start();
});

test.afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

test.afterAll(async () => {
  await relay.stop();
  await site.remove();
});

async function person(browser: Browser): Promise<Page> {
  const context = await browser.newContext();
  contexts.push(context);
  const page = await context.newPage();
  await ready(page);
  return page;
}

/** Opens the page, or opens it again. */
async function ready(page: Page): Promise<void> {
  await page.goto(site.url);
  await page.waitForFunction(() => globalThis.qsec2 !== undefined);
}

type Options = Pick<Sdk.ConnectOptions, 'name' | 'capacity' | 'persist'> & { invite?: string };

/** Enters a room and waits for nobody. Resolves with the room's invite and our id. */
const enter = (page: Page, options: Options): Promise<{ invite: string; id: string }> =>
  page.evaluate(
    async ([relay, options]) => {
      globalThis.room = await globalThis.qsec2.connect({ relay, ...options });
      return { invite: globalThis.room.invite.code, id: globalThis.room.me.id };
    },
    [relay.url, options] as const,
  );

/** Goes back to the room that was open here last. */
const back = (
  page: Page,
  persist: 'session' | 'device',
): Promise<{ invite: string; id: string; history: (string | undefined)[] }> =>
  page.evaluate(
    async ([relay, persist]) => {
      const [last] = await globalThis.qsec2.storedRooms({ relay, persist });
      if (!last) throw new Error('no room is stored here');
      const { invite } = last;
      globalThis.room = await globalThis.qsec2.connect({ relay, persist, invite });
      const history = globalThis.room.history().map(({ text }) => text);
      return { invite: globalThis.room.invite.code, id: globalThis.room.me.id, history };
    },
    [relay.url, persist] as const,
  );

/** Why entering fails. */
const refusal = (page: Page, options: Options): Promise<string> =>
  page.evaluate(
    ([relay, options]) =>
      globalThis.qsec2.connect({ relay, ...options }).then(
        () => 'entered',
        (error: Sdk.QsecError) => error.code,
      ),
    [relay.url, options] as const,
  );

const secured = (page: Page, members = 1) =>
  page.waitForFunction((count) => globalThis.room.state === 'secure' && globalThis.room.members.length === count, members);

const say = (page: Page, text: string) => page.evaluate(async (text) => (await globalThis.room.send(text)).id, text);

const heard = (page: Page, text: string) =>
  page.waitForFunction((text) => globalThis.room.history().some((message) => message.text === text), text);

const texts = (page: Page) => page.evaluate(() => globalThis.room.history().map(({ text }) => text));

/** Ana, and Bo whose room is kept. */
async function pair(browser: Browser, persist: 'session' | 'device', capacity = 2) {
  const [ana, bo] = [await person(browser), await person(browser)];
  const { invite } = await enter(ana, { name: 'Ana', capacity });
  const { id } = await enter(bo, { name: 'Bo', invite, persist });
  await Promise.all([secured(ana), secured(bo)]);
  return { ana, bo, invite, id };
}

test('a page that is reloaded is the same member, with its history, and gets what was sent meanwhile', async ({ browser }) => {
  const { ana, bo, id } = await pair(browser, 'session');
  await say(ana, 'before');
  await heard(bo, 'before');
  await bo.evaluate(() => globalThis.room.members[0]?.verify());

  await bo.reload();
  await bo.waitForFunction(() => globalThis.qsec2 !== undefined);
  expect(await back(bo, 'session')).toMatchObject({ id, history: ['before'] });
  await secured(bo);

  // Away for as long as it takes to say something.
  await bo.goto('about:blank');
  await say(ana, 'meanwhile');
  await ready(bo);
  expect(await back(bo, 'session')).toMatchObject({ id, history: ['before'] });
  await heard(bo, 'meanwhile');
  await secured(bo);
  await say(bo, 'after');
  await heard(ana, 'after');
  await say(ana, 'and on');
  await heard(bo, 'and on');
  expect(await texts(bo)).toEqual(['before', 'meanwhile', 'after', 'and on']);
  expect(await bo.evaluate(() => globalThis.room.members.map(({ verified }) => verified))).toEqual([true]);
  expect(await ana.evaluate(() => globalThis.room.members.map((member) => member.id))).toEqual([id]);
});

/** What a script in the page finds in its storage: every key it can export, and every byte that lies there. */
async function searchStorage(page: Page): Promise<{ keys: number; exported: number; found: string }> {
  return page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('qsec2');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const store = database.transaction('entries').objectStore('entries');
    const [names, values] = await Promise.all(
      [store.getAllKeys(), store.getAll()].map(
        (request) =>
          new Promise<unknown[]>((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          }),
      ),
    );
    database.close();
    const keys = (values ?? []).filter((value) => value instanceof CryptoKey);
    const wrapping = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['wrapKey']);
    const how = { name: 'AES-GCM', iv: new Uint8Array(12) };
    const attempts = keys.flatMap((key) =>
      (['raw', 'pkcs8', 'jwk'] as const).flatMap((format) => [
        crypto.subtle.exportKey(format, key),
        crypto.subtle.wrapKey(format, key, wrapping, how),
      ]),
    );
    const exported = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'fulfilled');
    const bytes = (values ?? []).filter((value) => value instanceof Uint8Array).map((value) => String.fromCharCode(...value));
    const places = [location.href, document.documentElement.outerHTML, document.cookie, history.state];
    for (const area of [localStorage, sessionStorage]) places.push(JSON.stringify({ ...area }));
    return { keys: keys.length, exported: exported.length, found: btoa([...(names ?? []), ...bytes, ...places].join('\0')) };
  });
}

test('a script injected into the page carries no key away, and finds no secret', async ({ browser }) => {
  const { ana, bo, invite } = await pair(browser, 'session');
  await bo.evaluate(async (code) => {
    await globalThis.room.suspend();
    // As somebody who opens the link again.
    globalThis.history.replaceState(null, '', `#${code}`);
  }, invite);
  await enter(bo, { invite, persist: 'session' });
  await secured(bo);
  await say(ana, 'a text that is for the two of them');
  await heard(bo, 'a text that is for the two of them');
  expect(await bo.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual(['qsec2']);
  expect(await bo.evaluate(async () => (await caches.keys()).length)).toBe(0);

  const code = Buffer.from(invite.slice(invite.indexOf('.') + 1), 'base64url');
  const [generation, roomId, secret] = [code.subarray(1, 5), code.subarray(5, 21), code.subarray(21, 53)];
  const extracted = hmac(Buffer.from('qsec2 v1 invite'), secret);
  const context = Buffer.concat([roomId, generation]);
  const secrets = new Map<string, Uint8Array>([
    ['invite secret', secret],
    ['room id', roomId],
    ['psk', expandLabel(extracted, 'psk', context)],
    ['token for the relay', expandLabel(extracted, 'relay token', context)],
    ['text', Buffer.from('a text that is for the two of them')],
  ]);
  // While the room is open, and when nothing but what is stored is left of it.
  for (const act of [() => undefined, () => globalThis.room.suspend()]) {
    await bo.evaluate(act);
    const { keys, exported, found } = await searchStorage(bo);
    expect({ keys, exported }).toEqual({ keys: 2, exported: 0 });
    const haystack = Buffer.from(found, 'base64');
    expect(haystack.length).toBeGreaterThan(1_000);
    expect(findSecrets([haystack], secrets)).toEqual([]);
  }

  // The same script does find what is not protected so.
  await bo.evaluate(async (code) => {
    const careless = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('qsec2');
      request.onsuccess = () => resolve(request.result);
    });
    const transaction = database.transaction('entries', 'readwrite');
    transaction.objectStore('entries').put(careless, 'careless');
    localStorage.setItem('careless', code);
    await new Promise<void>((resolve) => {
      transaction.oncomplete = () => resolve();
    });
    database.close();
  }, invite);
  const careless = await searchStorage(bo);
  // Raw and as JWK, each handed out and wrapped.
  expect(careless.exported).toBe(4);
  expect(findSecrets([Buffer.from(careless.found, 'base64')], secrets).map(({ secret }) => secret)).toContain('invite secret');
});

test('a second tab on the same seat is refused, and the first goes on', async ({ browser }) => {
  const { ana, bo, invite, id } = await pair(browser, 'device');
  const second = await bo.context().newPage();
  await ready(second);
  expect(await refusal(second, { invite, persist: 'device' })).toBe('ROOM_OPEN_ELSEWHERE');
  await say(ana, 'still there?');
  await heard(bo, 'still there?');
  await bo.close();
  expect(await back(second, 'device')).toMatchObject({ id, history: ['still there?'] });
  await secured(second);
});

test('a tab that was duplicated, session and all, is refused, too', async ({ browser }) => {
  const { bo, invite } = await pair(browser, 'session');
  const [copy] = await Promise.all([bo.waitForEvent('popup'), bo.evaluate(() => void window.open(location.href))]);
  await copy.waitForFunction(() => globalThis.qsec2 !== undefined);
  expect(
    await copy.evaluate(
      (relay) => globalThis.qsec2.storedRooms({ relay, persist: 'session' }).then(({ length }) => length),
      relay.url,
    ),
  ).toBe(1);
  expect(await refusal(copy, { invite, persist: 'session' })).toBe('ROOM_OPEN_ELSEWHERE');
  expect(await bo.evaluate(() => globalThis.room.state)).toBe('secure');
});

test('several tabs with sessions of their own are members of their own, and reload without breaking one another', async ({
  browser,
}) => {
  const { ana, bo, invite, id } = await pair(browser, 'session', 3);
  const other = await bo.context().newPage();
  await ready(other);
  expect(await other.evaluate((relay) => globalThis.qsec2.storedRooms({ relay, persist: 'session' }), relay.url)).toEqual([]);
  const { id: otherId } = await enter(other, { name: 'Cy', invite, persist: 'session' });
  expect(otherId).not.toBe(id);
  for (const page of [ana, bo, other]) await secured(page, 2);
  await say(ana, 'to both');
  for (const page of [bo, other]) await heard(page, 'to both');

  for (const [page, own] of [
    [bo, id],
    [other, otherId],
  ] as const) {
    await page.reload();
    await page.waitForFunction(() => globalThis.qsec2 !== undefined);
    expect(await back(page, 'session')).toMatchObject({ id: own, history: ['to both'] });
    for (const everyone of [ana, bo, other]) await secured(everyone, 2);
  }
  await say(other, 'back again');
  for (const page of [ana, bo]) await heard(page, 'back again');
});

test('nothing is stored unless that was asked for, and nothing is left of a room that was forgotten or left', async ({
  browser,
}) => {
  const ana = await person(browser);
  await enter(ana, { name: 'Ana' });
  expect(
    await ana.evaluate(() => indexedDB.databases().then((all) => all.length + localStorage.length + sessionStorage.length)),
  ).toBe(0);

  const { bo } = await pair(browser, 'session');
  await bo.evaluate(() => globalThis.room.forget());
  expect(await searchStorage(bo)).toMatchObject({ keys: 0 });
  const { bo: other } = await pair(browser, 'device');
  await other.evaluate(() => globalThis.room.leave());
  expect(await searchStorage(other)).toMatchObject({ keys: 0 });
});
