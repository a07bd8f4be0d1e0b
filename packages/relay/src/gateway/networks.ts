import { isIP, isIPv6 } from 'node:net';
import { addressScope } from './addresses.ts';

/** A network that an operator named, or the single address. */
export interface Network {
  /** Of its addresses all begin with so many bits. */
  bits: number;
  /** In its one way to be written: equal for equal networks. */
  name: string;
}

const V4_BITS = 32;
/** Of an IPv6 address no more is looked at: the rest is a customer's own (see {@link addressScope}). */
const V6_BITS = 64;

/** `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`. @returns undefined when it is neither an address nor a network */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const scope = addressScope(address);
  if (scope === undefined) return undefined;
  const most = isV6(scope) ? V6_BITS : V4_BITS;
  const bits = prefix === undefined ? most : Number(prefix);
  if (bits > (isIPv6(address) ? 128 : V4_BITS)) return undefined;
  return networkOf(scope, Math.min(bits, most));
}

/** The network of so many bits that an address is in. @param scope as limits count it */
export function networkOf(scope: string, bits: number): Network {
  const v6 = isV6(scope);
  const width = v6 ? 16 : 8;
  const parts = v6 ? scope.split('::')[0]!.split(':') : scope.split('.');
  const kept = parts.map((part, i) => {
    const left = Math.max(0, Math.min(width, bits - i * width));
    const mask = (2 ** width - 1) & ~(2 ** (width - left) - 1);
    return (Number.parseInt(part, v6 ? 16 : 10) & mask).toString(v6 ? 16 : 10);
  });
  return { bits, name: `${v6 ? `${kept.join(':')}::` : kept.join('.')}/${bits}` };
}

/** Whether a network may hold the address: both of IPv4, or both of IPv6. */
export const isV6 = (scope: string): boolean => isIP(scope) !== 4;
