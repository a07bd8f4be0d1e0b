import { parity32, toWords } from '../bits.ts';
import { Xoshiro128 } from '../channel/physics-random.ts';

/*
 * The geometry both sides of Cascade share. A key is padded with zeros to N = 2^m bits in 32-bit words. Each pass sees it in an
 * order of its own and cuts it into blocks of a power of two; the blocks and their halves are the nodes of a heap: node 1 is the
 * whole pass, node v has halves 2v and 2v + 1, nodes N…2N−1 are single bits.
 */

/** `efficient` gives away least; `balanced` needs about two fifths fewer rounds. */
export type CascadeSchedule = 'efficient' | 'balanced';

/** Block sizes after the first pass, as multiples of its own (arXiv 1407.3257 compares such schedules). */
const GROWTH: Readonly<Record<CascadeSchedule, readonly number[]>> = { efficient: [1, 4, 32], balanced: [1, 2, 8, 64] };

/** Subsets of half the key whose parities are compared at the end. */
export const MASKS = 10;

/** A bijection of 0…N−1 that needs no table: two odd multiplications with a folding shift between them, each easily undone. */
export interface Permutation {
  readonly multiplier: number;
  readonly offset: number;
  readonly shift: number;
  readonly second: number;
  readonly inverse: number;
  readonly secondInverse: number;
}

/** Odd constants with well spread bits: the fractional parts of √2, √3, √5, √7, √11, √13. */
const ODD = [0x6a09e667, 0xbb67ae85, 0x3c6ef373, 0xa54ff53b, 0x510e527f, 0x9b05688d] as const;

/** The inverse of an odd number mod 2³² by Newton's iteration; right digits double from three. */
function inverseOf(odd: number): number {
  let inverse = odd;
  for (let i = 0; i < 4; i++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return inverse;
}

function permutation(pass: number, log: number): Permutation {
  const multiplier = ODD[2 * pass - 2] as number | 1;
  const second = ODD[2 * pass - 1] as number | 1;
  const shift = Math.ceil(log / 2);
  return {
    multiplier,
    second,
    shift,
    offset: multiplier >>> 7,
    inverse: inverseOf(multiplier),
    secondInverse: inverseOf(second),
  };
}

export interface Frame {
  /** Real bits. */
  readonly bits: number;
  /** N, a power of two of at least 64. */
  readonly size: number;
  /** Block size of each pass. */
  readonly blocks: readonly number[];
  /** Blocks of each pass that hold real bits. */
  readonly tops: readonly number[];
  /** Order of each pass but the first, which sees the key as it is. */
  readonly orders: readonly (Permutation | undefined)[];
  /** Bits of the opening message. */
  readonly opening: number;
}

/** The frame of a key. k1 = 2^⌊log2(1/Q) − 0.32⌋, which is near the optimum 0.73/Q of the original protocol for powers of two. */
export function frameFor(bits: number, qber: number, schedule: CascadeSchedule): Frame {
  const log = Math.max(6, Math.ceil(Math.log2(Math.max(1, bits))));
  const size = 2 ** log;
  const q = Math.min(0.25, Math.max(qber, 1 / size));
  const first = 2 ** Math.max(1, Math.floor(Math.log2(1 / q) - 0.32));
  const blocks = GROWTH[schedule].map((factor) => Math.min(size, first * factor));
  const tops = blocks.map((block, pass) => (pass === 0 ? Math.ceil(bits / block) : size / block));
  const orders = blocks.map((_, pass) => (pass === 0 ? undefined : permutation(pass, log)));
  return { bits, size, blocks, tops, orders, opening: tops.reduce((sum, top) => sum + top, 0) + MASKS };
}

/** The key in the order of every pass. */
export function arrange(key: Uint8Array, { size, orders }: Frame): Uint32Array[] {
  const plain = toWords(key, size / 32);
  return orders.map((order) => (order ? permute(plain, size, order) : plain));
}

function permute(plain: Uint32Array, size: number, { multiplier, offset, shift, second }: Permutation): Uint32Array {
  const mask = size - 1;
  const out = new Uint32Array(plain.length);
  let index = offset;
  for (let w = 0; w < out.length; w++) {
    let word = 0;
    for (let b = 0; b < 32; b++) {
      let from = index & mask;
      from = Math.imul(from ^ (from >>> shift), second) & mask;
      word = (word << 1) | (((plain[from >>> 5] as number) >>> (31 - (from & 31))) & 1);
      index = (index + multiplier) | 0;
    }
    out[w] = word;
  }
  return out;
}

/** Where bit `bit` of the key stands in the order of a pass. */
export function placeOf(bit: number, size: number, order: Permutation | undefined): number {
  if (!order) return bit;
  const mask = size - 1;
  let at = Math.imul(bit, order.secondInverse) & mask;
  at ^= at >>> order.shift;
  return Math.imul(at - order.offset, order.inverse) & mask;
}

/** The key's bit that stands at `place` in the order of a pass: the reverse of {@link placeOf}. */
export function bitAt(place: number, size: number, order: Permutation | undefined): number {
  if (!order) return place;
  const mask = size - 1;
  const from = (Math.imul(place, order.multiplier) + order.offset) & mask;
  return Math.imul(from ^ (from >>> order.shift), order.second) & mask;
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
