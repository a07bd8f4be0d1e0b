import { parity32, toWords } from '../bits.ts';
import { Xoshiro128 } from '../channel/physics-random.ts';
import { applyShuffle, type Shuffle, shuffle } from './shuffle.ts';

/*
 * The geometry both sides of Cascade share. A key is padded with zeros to N = 2^m bits in 32-bit words. Each pass sees it in an
 * order of its own and cuts it into blocks of a power of two; the blocks and their halves are the nodes of a heap: node 1 is the
 * whole pass, node v has halves 2v and 2v + 1, nodes N…2N−1 are single bits.
 */

/** `efficient` gives away least; `balanced` needs about two fifths fewer rounds. */
export type CascadeSchedule = 'efficient' | 'balanced';

/** Block sizes after the first pass, as multiples of its own (arXiv 1407.3257 compares such schedules). */
const GROWTH: Readonly<Record<CascadeSchedule, readonly number[]>> = { efficient: [1, 4, 32], balanced: [1, 2, 8, 64] };

/** Subsets of half the key whose parities are compared at the end: what is left escapes all of them once in 2¹⁶. */
export const MASKS = 16;

export interface Frame {
  /** Real bits. */
  readonly bits: number;
  /** N, a power of two of at least 1024. */
  readonly size: number;
  /** Block size of each pass. */
  readonly blocks: readonly number[];
  /** Blocks of each pass that hold real bits. */
  readonly tops: readonly number[];
  /** Order of each pass but the first, which sees the key as it is. */
  readonly orders: readonly (Shuffle | undefined)[];
  /** Bits of the opening message. */
  readonly opening: number;
}

/** The frame of a key. A first block holds about one error: k1 = 2^⌊log2(1/Q) + 0.1⌋, where simulation shows f to be least. */
export function frameFor(bits: number, qber: number, schedule: CascadeSchedule): Frame {
  const size = 2 ** Math.max(10, Math.ceil(Math.log2(Math.max(1, bits))));
  const q = Math.min(0.25, Math.max(qber, 1 / size));
  const first = 2 ** Math.max(1, Math.floor(Math.log2(1 / q) + 0.1));
  const blocks = GROWTH[schedule].map((factor) => Math.min(size, first * factor));
  const tops = blocks.map((block, pass) => (pass === 0 ? Math.ceil(bits / block) : size / block));
  const orders = blocks.map((_, pass) => (pass === 0 ? undefined : shuffle(size, (pass - 1) as 0 | 1 | 2)));
  return { bits, size, blocks, tops, orders, opening: tops.reduce((sum, top) => sum + top, 0) + MASKS };
}

/** The key in the order of every pass. */
export function arrange(key: Uint8Array, { size, orders }: Frame): Uint32Array[] {
  const plain = toWords(key, size / 32);
  return orders.map((order) => (order ? applyShuffle(plain, order) : plain));
}

/** Parity of a node of a pass. */
export function nodeParity(words: Uint32Array, size: number, node: number): number {
  const depth = 31 - Math.clz32(node);
  const length = size >>> depth;
  const start = (node - (1 << depth)) * length;
  const first = start >>> 5;
  if (length < 32) {
    const word = ((words[first] as number) << (start & 31)) >>> (32 - length);
    return parity32(word);
  }
  let folded = 0;
  for (let w = first, end = first + (length >>> 5); w < end; w++) folded ^= words[w] as number;
  return parity32(folded);
}

/** Parities of the first `count` blocks of `length` bits, one element each, from `at` on. Returns where they end. */
export function blockParities(words: Uint32Array, length: number, count: number, out: Uint8Array, at: number): number {
  const span = length >>> 5;
  const inWord = 32 / length;
  for (let block = 0; block < count; block++) {
    let folded = 0;
    if (span === 0) {
      const position = (block % inWord) * length;
      folded = ((words[Math.floor(block / inWord)] as number) << position) >>> (32 - length);
    } else for (let w = block * span, end = w + span; w < end; w++) folded ^= words[w] as number;
    out[at + block] = parity32(folded);
  }
  return at + count;
}

/** Parity of the bits of a node that are in a mask. */
export function maskedParity(words: Uint32Array, mask: Uint32Array, size: number, node: number): number {
  const depth = 31 - Math.clz32(node);
  const length = size >>> depth;
  const start = (node - (1 << depth)) * length;
  const first = start >>> 5;
  if (length < 32) return parity32((((words[first] as number) & (mask[first] as number)) << (start & 31)) >>> (32 - length));
  let folded = 0;
  for (let w = first, end = first + (length >>> 5); w < end; w++) folded ^= (words[w] as number) & (mask[w] as number);
  return parity32(folded);
}

/** Mask words made so far. They never depend on a key, only on their position, so all runs share them. */
const masksMade: Uint32Array[] = [];

/** Mask `index`, at least `words` long. */
export function maskWords(index: number, words: number): Uint32Array {
  const made = masksMade[index];
  if (made && made.length >= words) return made;
  const random = new Xoshiro128(0x5eed + index);
  const mask = Uint32Array.from({ length: words }, () => random.next());
  masksMade[index] = mask;
  return mask;
}
