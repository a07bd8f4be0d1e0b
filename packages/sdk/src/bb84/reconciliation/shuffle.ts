/**
 * A bijection of the bit positions 0…N−1, N = 2^m ≥ 1024, that moves whole words instead of single bits: the words are put in
 * another order and rotated, then every 32 of them are transposed as a 32×32 matrix; and once more; and put in order again. A
 * few operations for 32 bits, and an inverse in constant time. With one transposition only, errors in two words that meet
 * once would meet often, and pairs of pairs would stay hidden.
 */
export type Shuffle = readonly [WordOrder, WordOrder, WordOrder];

/**
 * Word j of the result is word f(j) of the source, rotated left by the leading bits of j·spin. f multiplies by an odd number,
 * folds the high half of the index into the low one, and multiplies again: a single multiplication would keep the distances
 * between words, and two passes would meet in many pairs.
 */
interface WordOrder {
  readonly first: number;
  readonly second: number;
  readonly firstInverse: number;
  readonly secondInverse: number;
  readonly fold: number;
  readonly mask: number;
  readonly spin: number;
}

/** Odd constants with well spread bits: the fractional parts of the square roots of the first primes. */
const ODD = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef373, 0xa54ff53b, 0x510e527f, 0x9b05688d, 0x1f83d9ab, 0x5be0cd19, 0xcbbb9d5d, 0x629a292b,
  0x9159015b, 0x152fecd9,
] as const;

/** The inverse of an odd number mod 2³² by Newton's iteration, which doubles the number of right digits from three on. */
function inverseOf(odd: number): number {
  let inverse = odd;
  for (let i = 0; i < 4; i++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return inverse;
}

function wordOrder(words: number, index: number): WordOrder {
  const [first, second, spin] = ODD.slice(index, index + 3) as [number, number, number];
  const fold = Math.ceil(Math.log2(words) / 2);
  return { first, second, firstInverse: inverseOf(first), secondInverse: inverseOf(second), fold, mask: words - 1, spin };
}

/** One of three shuffles of `size` bits. */
export const shuffle = (size: number, index: 0 | 1 | 2): Shuffle => [
  wordOrder(size / 32, index),
  wordOrder(size / 32, index + 3),
  wordOrder(size / 32, index + 6),
];

const rotation = (j: number, { spin }: WordOrder): number => Math.imul(j + 1, spin) >>> 27;

function sourceOf(j: number, { first, second, fold, mask }: WordOrder): number {
  const x = Math.imul(j + 1, first) & mask;
  return Math.imul(x ^ (x >>> fold), second) & mask;
}

function targetOf(word: number, { firstInverse, secondInverse, fold, mask }: WordOrder): number {
  const x = Math.imul(word, secondInverse) & mask;
  return (Math.imul(x ^ (x >>> fold), firstInverse) - 1) & mask;
}

function reorder(source: Uint32Array, { first, second, fold, mask, spin }: WordOrder): Uint32Array {
  const out = new Uint32Array(source.length);
  // The products of sourceOf and rotation, kept by adding.
  let product = first;
  let turns = spin;
  for (let j = 0; j < out.length; j++) {
    const x = product & mask;
    const word = source[Math.imul(x ^ (x >>> fold), second) & mask] as number;
    const turn = turns >>> 27;
    out[j] = (word << turn) | (word >>> (32 - turn));
    product = (product + first) | 0;
    turns = (turns + spin) | 0;
  }
  return out;
}

/** Transposes each 32 words in place, by swapping ever smaller off-diagonal blocks (Warren, "Hacker's Delight", §7–3). */
function transpose(words: Uint32Array): void {
  for (let half = 16, mask = 0x0000ffff; half > 0; half >>>= 1, mask ^= mask << half) {
    for (let start = 0; start < words.length; start += 2 * half) {
      for (let k = start; k < start + half; k++) {
        const high = words[k] as number;
        const low = words[k + half] as number;
        const swap = (high ^ (low >>> half)) & mask;
        words[k] = high ^ swap;
        words[k + half] = low ^ (swap << half);
      }
    }
  }
}

/** The words in shuffled order. */
export function applyShuffle(source: Uint32Array, [first, second, third]: Shuffle): Uint32Array {
  const once = reorder(source, first);
  transpose(once);
  const twice = reorder(once, second);
  transpose(twice);
  return reorder(twice, third);
}

/** Where an order takes a bit. */
function forward(bit: number, order: WordOrder): number {
  const j = targetOf(bit >>> 5, order);
  return (j << 5) | (((bit & 31) - rotation(j, order)) & 31);
}

/** Where an order took a bit from. */
function backward(bit: number, order: WordOrder): number {
  const j = bit >>> 5;
  return (sourceOf(j, order) << 5) | (((bit & 31) + rotation(j, order)) & 31);
}

/** Where transposition takes a bit, and takes it from. */
const transposed = (bit: number): number => (bit & ~1023) | ((bit & 31) << 5) | ((bit >>> 5) & 31);

/** Where a bit goes. */
export const placeOf = (bit: number, [first, second, third]: Shuffle): number =>
  forward(transposed(forward(transposed(forward(bit, first)), second)), third);

/** Where the bit at a place came from: the reverse of {@link placeOf}. */
export const bitAt = (place: number, [first, second, third]: Shuffle): number =>
  backward(transposed(backward(transposed(backward(place, third)), second)), first);
