import { afterEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { relayUrl } from './relay-url.ts';

const messageOf = (relay: unknown): string => {
  try {
    return `accepted as ${relayUrl(relay as string).href}`;
  } catch (error) {
    expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
    return (error as QsecError).message;
  }
};

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each([
  ['in Node', undefined],
  ['on a page', 'https://site.example/shop/'],
])('the address of a relay %s', (_, page) => {
  const prepare = () => page && vi.stubGlobal('location', new URL(page));

  it.each([
    ['localhost:5000', 'http://localhost:5000'],
    ['localhost:5000/relay', 'http://localhost:5000/relay'],
    ['localhost', 'http://localhost'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ['192.168.1.20:5000', 'http://192.168.1.20:5000'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['relay:5000', 'http://relay:5000'],
    ['relay.example', 'https://relay.example'],
    ['relay.example:8443', 'https://relay.example:8443'],
    ['relay.example/chat', 'https://relay.example/chat'],
    ['//relay.example', 'https://relay.example'],
    ['wss://relay.example', 'https://relay.example'],
    ['WSS://relay.example/chat', 'https://relay.example/chat'],
    ['ws://localhost:5000', 'http://localhost:5000'],
    ['https:relay.example', 'https://relay.example'],
    ['https:/relay.example', 'https://relay.example'],
    ['http//localhost:5000', 'http://localhost:5000'],
  ])('%j is refused with what to write instead', (given, meant) => {
    prepare();
    expect(messageOf(given)).toContain(`got "${given}". Write "${meant}".`);
    expect(relayUrl(meant).protocol).toMatch(/^https?:$/);
  });

  it.each(['ftp://relay.example', 'javascript:alert(1)', 'https://', 'http://a b', 'data:,x'])('%j is refused', (given) => {
    prepare();
    expect(messageOf(given)).toBe(`"relay" expected an address such as https://relay.example, got "${given}"`);
  });

  it.each([7, null, undefined, {}, ['https://relay.example']])('%j is refused by its type', (given) => {
    prepare();
    expect(messageOf(given)).toMatch(
      /^"relay" expected an address such as https:\/\/relay.example, got (number|null|undefined|object)$/,
    );
  });

  it.each(['https://relay.example', 'http://localhost:5000/', 'https://relay.example/chat', new URL('https://relay.example')])(
    '%s is one',
    (given) => {
      prepare();
      expect(relayUrl(given).href).toBe(new URL(given).href);
    },
  );

  it('that is an invite link is refused without its secret', () => {
    prepare();
    const message = messageOf('https://relay.example/#q2.AAAA');
    expect(message).toContain('"invite"');
    expect(message).not.toContain('AAAA');
  });
});

it('may be relative to a page, and to nothing else', () => {
  for (const relative of ['/relay', './relay', '../', '']) expect(messageOf(relative)).toContain('expected an address');
  vi.stubGlobal('location', new URL('https://site.example/shop/cart?x'));
  expect(relayUrl('/relay').href).toBe('https://site.example/relay');
  expect(relayUrl('./relay').href).toBe('https://site.example/shop/relay');
  expect(relayUrl('relay').href).toBe('https://site.example/shop/relay');
  expect(relayUrl('').href).toBe('https://site.example/shop/cart?x');
});
