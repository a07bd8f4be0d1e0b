import { isV6, type Network, networkOf } from '../gateway/networks.ts';
import type { Hasher } from '../hashes.ts';

/**
 * Networks that may not connect. What is kept of each is the keyed hash of its name and, to find it again, how many bits it has: from
 * a short one its addresses could be told all the same, but an operator named it for that.
 */
export class Blocks {
  readonly #hasher: Hasher;
  readonly #keys: ReadonlySet<string>;
  /** Sizes of networks there are, so that an address is looked for in so many. */
  readonly #sizes: readonly [version: string, bits: number][];

  constructor(hasher: Hasher, keys: Iterable<string>) {
    this.#hasher = hasher;
    // A block of before there were networks has no size.
    this.#keys = new Set([...keys].filter((key) => /^[46]\/\d+ /.test(key)));
    const sizes = new Set([...this.#keys].map((key) => key.split(' ')[0] ?? ''));
    this.#sizes = [...sizes].map((size) => [size[0] ?? '', Number(size.slice(2))]);
  }

  /** Under what a block is kept: `4/24 HASH`. */
  static keyOf(hasher: Hasher, network: Network): string {
    const version = network.name.includes(':') ? '6' : '4';
    return `${version}/${network.bits} ${hasher.name('address', network.name)}`;
  }

  /** @param scope an address as limits count it */
  has(scope: string): boolean {
    const version = isV6(scope) ? '6' : '4';
    return this.#sizes.some(([of, bits]) => of === version && this.#keys.has(Blocks.keyOf(this.#hasher, networkOf(scope, bits))));
  }
}
