import { type Browser, expect, type Page, test } from '@playwright/test';
import { RelayProcess } from '../support/relay-process.ts';
import { type HostServer, startHostServer } from './host-server.ts';

/** Pages that put something else in the place of what the language and the document define. */

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

/** What runs in the page before the widget, each as its authors wrote it or as it would be worst. */
const REPLACED: Readonly<Record<string, string>> = {
  'Prototype 1.7': `
    function $A(iterable) {
      if (!iterable) return [];
      if ('toArray' in Object(iterable)) return iterable.toArray();
      var length = iterable.length || 0, results = new Array(length);
      while (length--) results[length] = iterable[length];
      return results;
    }
    Array.from = $A;
    Object.toJSON = function (value) { return '"' + String(value) + '"'; };
    Array.prototype.toJSON = function () { return '[' + this.join(', ') + ']'; };
    String.prototype.toJSON = function () { return '"' + this + '"'; };
    Function.prototype.bind = function (context) {
      var method = this, args = $A(arguments).slice(1);
      return function () { return method.apply(context, args.concat($A(arguments))); };
    };
    Array.prototype.toArray = Array.prototype.entries = Array.prototype.clone = function () { return this.slice(0); };
    Array.prototype.find = Array.prototype.detect = function (iterator) {
      for (var i = 0; i < this.length; i++) if (iterator(this[i])) return this[i];
    };
    Array.prototype.reduce = function () { return this.length > 1 ? this : this[0]; };
    Array.prototype.without = function () { return this; };
    String.prototype.strip = String.prototype.trim;
    String.prototype.sub = function (pattern, replacement) { return this.replace(pattern, replacement); };
    window.Element = (function (old) {
      function Element(tag) { return document.createElement(tag); }
      Element.prototype = old.prototype;
      return Element;
    })(window.Element);
    HTMLElement.prototype.remove = Element.prototype.remove = function () { this.parentNode.removeChild(this); return this; };
    HTMLElement.prototype.update = function (text) { this.innerHTML = text; return this; };
    HTMLElement.prototype.select = function (css) { return $A(this.querySelectorAll(css)); };`,
  'MooTools 1.4': `
    Array.from = function (item) { return item == null ? [] : item.length !== undefined && typeof item !== 'string' ? [].slice.call(item) : [item]; };
    Function.from = function (item) { return typeof item == 'function' ? item : function () { return item; }; };
    String.from = function (item) { return item + ''; };
    Array.prototype.each = function (fn, bind) { this.forEach(fn, bind); return this; };
    Array.prototype.include = function (item) { if (!this.contains(item)) this.push(item); return this; };
    Array.prototype.contains = function (item) { return this.indexOf(item) != -1; };
    Array.prototype.append = function (items) { this.push.apply(this, items); return this; };
    Function.prototype.extend = function (key, value) { this[key] = value; return this; };
    Function.prototype.bind = function (bind) {
      var self = this, args = arguments.length > 1 ? [].slice.call(arguments, 1) : null;
      return function () { return self.apply(bind, (args || []).concat([].slice.call(arguments))); };
    };
    Object.keys = function (object) { var keys = []; for (var k in object) if (Object.prototype.hasOwnProperty.call(object, k)) keys.push(k); return keys; };
    Object.values = Object.map = function (object) { var values = []; for (var k in object) values.push(object[k]); return values; };
    window.Event = function Event() { return {}; };
    window.Element = (function (old) { function Element() {} Element.prototype = old.prototype; return Element; })(window.Element);
    Element.prototype.remove = Element.prototype.dispose = function () { return this.parentNode ? this.parentNode.removeChild(this) : this; };
    Element.prototype.append = function (text) { this.innerHTML += text; return this; };`,
  'toJSON on everything': `
    for (const maker of [Array, String, Number, Boolean, Object, Date]) maker.prototype.toJSON = function () { return 'told'; };`,
  'every object with more fields': `
    Object.prototype.extend = function () { return this; };
    Object.prototype.value = 7;
    Object.prototype.enumerable = 'yes';
    Array.prototype.last = function () { return this[this.length - 1]; };
    String.prototype.get = Function.prototype.method = function () { return this; };`,
  'a bind that forgets': `Function.prototype.bind = function () { return this; };`,
  'a clock that gives dates': `Date.now = function () { return new Date(); };`,
  'a clock that stands still': `
    const Genuine = Date;
    window.Date = class Date { constructor() { this.at = 0; } getTime() { return 0; } static now() { return 0; } static parse() { return 0; } };`,
  'elements that hide instead of going': `
    for (const holder of [Element.prototype, HTMLElement.prototype, CharacterData.prototype])
      holder.remove = function () { if (this.style) this.style.opacity = 0; };
    Element.prototype.append = HTMLElement.prototype.append = function () {};
    Element.prototype.closest = Element.prototype.matches = function () { return undefined; };
    Element.prototype.querySelectorAll = Node.prototype.contains = function () { return undefined; };`,
  'texts with other methods': `
    for (const name of ['includes', 'startsWith', 'endsWith', 'padStart', 'repeat', 'trim', 'split', 'replace', 'replaceAll', 'slice', 'at', 'normalize', 'matchAll'])
      String.prototype[name] = function () { return 'replaced'; };`,
  'promises of an old library': `
    window.Promise = function Promise(run) { this.then = function () { return this; }; run(function () {}, function () {}); };`,
  'promises without the newer parts': `delete Promise.prototype.finally; delete Promise.allSettled; Promise.all = function () { return 'all'; };`,
  'maps and sets of an old library': `
    window.Map = function Map() { this.all = {}; };
    window.Map.prototype = { get(key) { return this.all[key]; }, set(key, value) { this.all[key] = value; }, has(key) { return key in this.all; } };
    window.Set = function Set() { this.all = []; };
    window.Set.prototype = { add(one) { this.all.push(one); }, has(one) { return this.all.indexOf(one) >= 0; } };
    window.WeakMap = window.Map;`,
  'every method of the language': `
    for (const maker of [Array, String, Number, Boolean, RegExp, Promise, Map, Set, WeakMap, Date, Object, Function, JSON, Object.getPrototypeOf(Uint8Array)])
      for (const holder of [maker, maker.prototype ?? {}])
        for (const name of Object.getOwnPropertyNames(holder)) {
          const { value, writable } = Object.getOwnPropertyDescriptor(holder, name);
          const needed = ['constructor', 'prototype', 'toString', 'valueOf', 'getOwnPropertyDescriptor', 'getOwnPropertyNames', 'exec', 'then', 'resolve'];
          if (typeof value === 'function' && writable && !needed.includes(name))
            later.push([holder, name]);
        }
    for (const [holder, name] of later) holder[name] = function () { throw new Error('a page replaced ' + name); };`,
};

async function visit(browser: Browser, address: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(address);
  return page;
}

const secured = (page: Page) => expect(page.getByRole('button', { name: 'Encrypted. Open security details' })).toBeVisible();
const bubble = (page: Page, text: string) => page.getByRole('log').getByText(text, { exact: true });

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

for (const [name, script] of Object.entries(REPLACED)) {
  test(`two people talk on a page with ${name}`, async ({ browser }) => {
    const address = host.page(`<qsec2-chat relay="${relay.url}"></qsec2-chat>`, { script: `var later = []; ${script}` });
    const ana = await visit(browser, address);
    await ana.getByRole('button', { name: 'Open private chat' }).click();
    await ana.getByRole('button', { name: 'Create a room' }).click();
    const link = ana.getByRole('textbox', { name: 'Invite link' });
    await expect(link).toHaveValue(/#q2\./);
    const bo = await visit(browser, await link.inputValue());
    await Promise.all([secured(ana), secured(bo)]);
    await say(ana, 'from Ana');
    await expect(bubble(bo, 'from Ana')).toBeVisible();
    await say(bo, 'from Bo, see https://example.org/');
    await expect(ana.getByRole('link', { name: 'https://example.org/' })).toBeVisible();
    await expect(ana.getByText('Delivered')).toBeAttached();

    await ana
      .locator('qsec2-chat input[type=file]')
      .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
    await expect(bo.getByText('a.txt', { exact: true })).toBeVisible();

    await ana.getByRole('button', { name: /security details/ }).click();
    await expect(ana.getByRole('listitem').filter({ hasText: /^\d{5}$/ })).toHaveCount(12);
    await ana.keyboard.press('Escape');
    await expect(ana.getByRole('listitem').filter({ hasText: /^\d{5}$/ })).toHaveCount(0);
    await ana.getByRole('button', { name: 'Close', exact: true }).click();
    await expect(ana.getByRole('button', { name: 'Open private chat' })).toBeVisible();
  });
}

test('a page that replaces nothing is left as it was, and nothing more is fetched', async ({ browser }) => {
  const page = await (await browser.newContext()).newPage();
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  await page.goto(host.page(`<qsec2-chat relay="${relay.url}"></qsec2-chat>`));
  await page.getByRole('button', { name: 'Open private chat' }).click();
  await page.getByRole('button', { name: 'Create a room' }).waitFor();
  expect(fetched.filter((path) => path.includes('genuine'))).toEqual([]);
  const symbols = await page.evaluate(() =>
    [Object, Array, String, Function, Element].flatMap((maker) => Object.getOwnPropertySymbols(maker.prototype).map(String)),
  );
  expect(symbols.filter((symbol) => !/^Symbol\(Symbol\./.test(symbol))).toEqual([]);
});

test('what a page replaced stays as it put it', async ({ browser }) => {
  const script =
    'window.mine = function () { return 1; }; Array.from = mine; Array.prototype.map = mine; Element.prototype.remove = mine;';
  const page = await visit(browser, host.page(`<qsec2-chat relay="${relay.url}"></qsec2-chat>`, { script }));
  await page.getByRole('button', { name: 'Open private chat' }).click();
  await page.getByRole('button', { name: 'Create a room' }).waitFor();
  expect(
    await page.evaluate(() => {
      const { mine } = window as unknown as { mine: unknown };
      const keys = Object.keys(Object.prototype).length + Object.keys(Array.prototype).length;
      return [
        Array.from === mine,
        Array.prototype.map === mine,
        Element.prototype.remove === mine,
        keys,
        document.querySelectorAll('iframe').length,
      ];
    }),
  ).toEqual([true, true, true, 0, 0]);
});
