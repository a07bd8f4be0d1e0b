import { describe, expect, it } from 'vitest';
import { parseNetwork } from '../gateway/networks.ts';
import { Hasher } from '../hashes.ts';
import { Blocks } from './blocks.ts';

const hasher = new Hasher('0123456789abcdef');
const blocks = (...networks: string[]) =>
  new Blocks(
    hasher,
    networks.map((text) => Blocks.keyOf(hasher, parseNetwork(text)!)),
  );

describe('blocked networks', () => {
  it('hold every address in them and no other, each version by itself', () => {
    const made = blocks('192.0.2.0/24', '198.51.100.7', '2001:db8::/32');
    const held = ['192.0.2.0', '192.0.2.255', '198.51.100.7', '2001:db8:ffff:1::/64'];
    const free = ['192.0.3.0', '198.51.100.8', '2001:db9:0:0::/64', '0.0.0.0', '0:0:0:0::/64'];
    expect([held, free].map((list) => list.map((address) => made.has(address)))).toEqual([
      held.map(() => true),
      free.map(() => false),
    ]);
  });

  it('may be everything of one version', () => {
    expect([blocks('0.0.0.0/0').has('203.0.113.9'), blocks('0.0.0.0/0').has('2001:db8:0:0::/64')]).toEqual([true, false]);
    expect([blocks('::/0').has('203.0.113.9'), blocks('::/0').has('2001:db8:0:0::/64')]).toEqual([false, true]);
  });

  it('are kept without their names, and what is kept in another way holds nobody', () => {
    const key = Blocks.keyOf(hasher, parseNetwork('192.0.2.0/24')!);
    expect(key).toMatch(/^4\/24 \S+$/);
    expect(key).not.toContain('192');
    expect(new Blocks(hasher, ['4abc', '', hasher.name('address', '192.0.2.1')]).has('192.0.2.1')).toBe(false);
  });
});
