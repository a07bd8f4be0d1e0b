import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressScope } from './addresses.ts';
import { networkOf, parseNetwork } from './networks.ts';

describe('a network as a person writes it', () => {
  it.each([
    ['192.0.2.1', 32, '192.0.2.1/32'],
    ['192.0.2.77/24', 24, '192.0.2.0/24'],
    ['192.0.2.255/25', 25, '192.0.2.128/25'],
    ['10.20.30.40/9', 9, '10.0.0.0/9'],
    ['255.255.255.255/0', 0, '0.0.0.0/0'],
    ['::ffff:192.0.2.1', 32, '192.0.2.1/32'],
    ['2001:db8:1:2:3::4', 64, '2001:db8:1:2::/64'],
    ['2001:db8:1:2::/128', 64, '2001:db8:1:2::/64'],
    ['2001:DB8:ffff::/33', 33, '2001:db8:8000:0::/33'],
    ['::/0', 0, '0:0:0:0::/0'],
  ])('%s has %i bits that count and is called %s', (text, bits, name) => {
    expect(parseNetwork(text)).toEqual({ bits, name });
  });

  it.each([
    '',
    '192.0.2',
    '192.0.2.1/33',
    '192.0.2.1/',
    '192.0.2.1/a',
    '192.0.2.1/-1',
    '2001:db8::/129',
    'example.org',
    '1.2.3.4/8/8',
  ])('is not "%s"', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });
});

it('an address is in the networks that begin as it does, and in no other of their size', () => {
  const sizes = fc.integer({ min: 0, max: 32 });
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), sizes, (one, other, bits) => {
      const bitsOf = (address: string) =>
        address
          .split('.')
          .map((part) => Number(part).toString(2).padStart(8, '0'))
          .join('')
          .slice(0, bits);
      const [a, b] = [networkOf(addressScope(one)!, bits), networkOf(addressScope(other)!, bits)];
      expect(a.name === b.name).toBe(bitsOf(one) === bitsOf(other));
      expect(parseNetwork(a.name)).toEqual(a);
    }),
  );
});
