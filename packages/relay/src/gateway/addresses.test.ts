import { describe, expect, it } from 'vitest';
import { addressScope, ClientAddresses } from './addresses.ts';

const request = (remoteAddress: string | undefined, forwarded?: string | string[]) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as never;

describe('an address as a person writes it', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1 ', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3::6', '2001:db8:1:2::/64'],
    ['2001:db8::1:2:3:4', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['::2:3:4:5:6', '0:0:0:2::/64'],
    ['fe80::1', 'fe80:0:0:0::/64'],
    ['', undefined],
    ['192.0.2', undefined],
    ['192.0.2.1/24', undefined],
    ['example.org', undefined],
    ['::ffff:192.0.2.300', undefined],
  ])('%s counts as %s', (text, scope) => {
    expect(addressScope(text)).toBe(scope);
  });

  it('of the same IPv6 network count as one, of another one do not', () => {
    expect(addressScope('2001:db8:1:2::1')).toBe(addressScope('2001:db8:1:2:ffff::'));
    expect(addressScope('2001:db8:1:2::1')).not.toBe(addressScope('2001:db8:1:3::1'));
  });
});

describe('behind trusted proxies', () => {
  const addresses = new ClientAddresses(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::7']);

  it.each([
    ['10.255.0.1', '203.0.113.1', '203.0.113.1'],
    ['192.0.2.7', '203.0.113.1', '203.0.113.1'],
    ['fd12::1', '203.0.113.1', '203.0.113.1'],
    ['2001:db8::7', '2001:db8:9::1', '2001:db8:9:0::/64'],
    ['::ffff:10.0.0.1', '203.0.113.1', '203.0.113.1'],
    // Not trusted: what it writes counts for nothing.
    ['11.0.0.1', '203.0.113.1', '11.0.0.1'],
    ['192.0.2.8', '203.0.113.1', '192.0.2.8'],
    ['2001:db8::8', '203.0.113.1', '2001:db8:0:0::/64'],
    // Several hops, read from the right.
    ['10.0.0.1', '1.1.1.1,203.0.113.1,10.0.0.2', '203.0.113.1'],
    ['10.0.0.1', '203.0.113.1 , 10.0.0.2', '203.0.113.1'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '203.0.113.1, nonsense', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '::ffff:203.0.113.1', '203.0.113.1'],
    // With a port.
    ['10.0.0.1', '203.0.113.1:4711', '203.0.113.1'],
    ['10.0.0.1', '[2001:db8:9::1]:4711', '2001:db8:9:0::/64'],
    ['10.0.0.1', '[2001:db8:9::1]', '2001:db8:9:0::/64'],
    ['10.0.0.1', '[::ffff:203.0.113.1]:4711', '203.0.113.1'],
    ['10.0.0.1', '203.0.113.1:4711, 10.0.0.2:80', '203.0.113.1'],
    ['10.0.0.1', '203.0.113.1:', '10.0.0.1'],
    ['10.0.0.1', '[203.0.113.1', '10.0.0.1'],
  ])('%s forwarding "%s" is %s', (peer, forwarded, address) => {
    expect(addresses.of(request(peer, forwarded))).toBe(address);
  });

  it('nothing that is forwarded counts where no proxy is named', () => {
    expect(new ClientAddresses([]).of(request('10.0.0.1', '203.0.113.1'))).toBe('10.0.0.1');
    expect(new ClientAddresses([]).of(request(undefined))).toBe('');
    expect(addresses.of(request(undefined, '203.0.113.1'))).toBe('');
    expect(addresses.of(request('10.0.0.1'))).toBe('10.0.0.1');
  });

  it.each([
    [{ remoteAddress: '10.0.0.1' }, 'https', true],
    [{ remoteAddress: '10.0.0.1' }, 'HTTPS, http', true],
    [{ remoteAddress: '10.0.0.1' }, 'http', false],
    [{ remoteAddress: '10.0.0.1' }, undefined, false],
    [{ remoteAddress: '11.0.0.1' }, 'https', false],
    [{ remoteAddress: '11.0.0.1', encrypted: true }, undefined, true],
  ])('a client at %o with the protocol "%s" came over TLS: %s', (socket, proto, over) => {
    expect(addresses.isOverTls({ socket, headers: { 'x-forwarded-proto': proto } } as never)).toBe(over);
  });

  it('what is forwarded and not believed is counted', () => {
    const made = new ClientAddresses(['10.0.0.0/8']);
    for (const peer of ['10.0.0.1', '11.0.0.1', '11.0.0.2']) made.of(request(peer, '203.0.113.1'));
    made.of(request('11.0.0.1'));
    expect(made.notBelieved).toBe(2);
    const none = new ClientAddresses([]);
    none.of(request('127.0.0.1', '203.0.113.1'));
    expect(none.notBelieved).toBe(1);
  });

  it('connections are counted by their own address, those of proxies not at all', () => {
    expect(addresses.ofPeer({ remoteAddress: '10.0.0.1' })).toBeUndefined();
    expect(addresses.ofPeer({ remoteAddress: '::ffff:10.0.0.1' })).toBeUndefined();
    expect(addresses.ofPeer({ remoteAddress: '203.0.113.1' })).toBe('203.0.113.1');
    expect(addresses.ofPeer({ remoteAddress: '2001:db8:1::1' })).toBe('2001:db8:1:0::/64');
    expect(addresses.ofPeer({} as never)).toBe('');
  });
});
