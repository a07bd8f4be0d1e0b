/** Bit strings packed most significant bit first into bytes: bit `i` is bit `7 − (i mod 8)` of byte `⌊i/8⌋`.
 * A string whose length is not a multiple of eight ends in zero bits; every function here keeps that invariant. */

const POPCOUNT = new Uint8Array(256);
for (let byte = 1; byte < 256; byte++) POPCOUNT[byte] = (POPCOUNT[byte >> 1] as number) + (byte & 1);

/** Bytes that hold `bits` bits. */
export const byteLength = (bits: number): number => Math.ceil(bits / 8);

/** 32-bit words that hold `bits` bits. */
export const wordLength = (bits: number): number => Math.ceil(bits / 32);

/** Bit `index` of `bits`, 0 past its end. */
export const getBit = (bits: Uint8Array, index: number): number => ((bits[index >>> 3] as number) >>> (7 - (index & 7))) & 1;

/** Sets bit `index` to one, in place. */
export function setBit(bits: Uint8Array, index: number): void {
  bits[index >>> 3] = (bits[index >>> 3] as number) | (128 >>> (index & 7));
}

/** Flips bit `index`, in place. */
export function flipBit(bits: Uint8Array, index: number): void {
  bits[index >>> 3] = (bits[index >>> 3] as number) ^ (128 >>> (index & 7));
}

/** Zeroes every bit from `length` on, in place, and returns `bits`. */
export function clearTail(bits: Uint8Array, length: number): Uint8Array {
  const whole = length >>> 3;
  if (whole < bits.length) {
    bits[whole] = (bits[whole] as number) & (0xff00 >>> (length & 7));
    bits.fill(0, whole + 1);
  }
  return bits;
}

/** Number of one bits. */
export function popcount(bits: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bits.length; i++) count += POPCOUNT[bits[i] as number] as number;
  return count;
}

/** Number of one bits in a 32-bit word. */
export function popcount32(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Parity (0 or 1) of a 32-bit word. */
export function parity32(word: number): number {
  word ^= word >>> 16;
  word ^= word >>> 8;
  word ^= word >>> 4;
  return (0x6996 >>> (word & 15)) & 1;
}

/** Parity (0 or 1) of all bits. */
export function parity(bits: Uint8Array): number {
  let folded = 0;
  for (let i = 0; i < bits.length; i++) folded ^= bits[i] as number;
  return parity32(folded);
}

/** `a XOR b` as a new string. Both must have the same length. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) ^ (b[i] as number);
  return out;
}

/** `a AND b` as a new string. Both must have the same length. */
export function and(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) & (b[i] as number);
  return out;
}

/** `a OR b` as a new string. Both must have the same length. */
export function or(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) | (b[i] as number);
  return out;
}

/** `a AND NOT b` as a new string. Both must have the same length. */
export function andNot(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) & ~(b[i] as number);
  return out;
}

/** The first `length` bits of `bits` inverted, as a new string. */
export function not(bits: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(byteLength(length));
  for (let i = 0; i < out.length; i++) out[i] = ~(bits[i] as number);
  return clearTail(out, length);
}

/** `length` one bits. */
export const ones = (length: number): Uint8Array => clearTail(new Uint8Array(byteLength(length)).fill(255), length);

/** Positions in which `a` and `b` differ. Both must have the same length. */
export function hammingDistance(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) count += POPCOUNT[(a[i] as number) ^ (b[i] as number)] as number;
  return count;
}

/** Packs one bit per element (zero or not). */
export function pack(bits: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(byteLength(bits.length));
  for (let i = 0; i < bits.length; i++) if (bits[i]) setBit(out, i);
  return out;
}

/** One element (0 or 1) for each of the first `length` bits. */
export function unpack(bits: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = getBit(bits, i);
  return out;
}

/** The bits of `bits` at the ones of `mask`, in order: `popcount(mask)` bits. */
export function select(bits: Uint8Array, mask: Uint8Array): Uint8Array {
  const out = new Uint8Array(byteLength(popcount(mask)));
  let buffer = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < mask.length; i++) {
    let wanted = mask[i] as number;
    const byte = bits[i] as number;
    if (wanted === 255 && held === 0) {
      out[at++] = byte;
      continue;
    }
    while (wanted !== 0) {
      const shift = 31 - Math.clz32(wanted);
      wanted ^= 1 << shift;
      buffer = (buffer << 1) | ((byte >>> shift) & 1);
      if (++held === 8) {
        out[at++] = buffer;
        held = buffer = 0;
      }
    }
  }
  if (held > 0) out[at] = buffer << (8 - held);
  return out;
}

/** The reverse of {@link select}: puts successive bits of `bits` at the ones of `mask`, zeros elsewhere. */
export function deposit(bits: Uint8Array, mask: Uint8Array): Uint8Array {
  const out = new Uint8Array(mask.length);
  let at = 0;
  for (let i = 0; i < mask.length; i++) {
    let wanted = mask[i] as number;
    let byte = 0;
    while (wanted !== 0) {
      const shift = 31 - Math.clz32(wanted);
      wanted ^= 1 << shift;
      byte |= getBit(bits, at++) << shift;
    }
    out[i] = byte;
  }
  return out;
}

/** Calls `visit` with the position of every one bit, ascending, and how many came before it. */
export function forEachOne(bits: Uint8Array, visit: (position: number, rank: number) => void): void {
  let rank = 0;
  for (let i = 0; i < bits.length; i++) {
    let byte = bits[i] as number;
    while (byte !== 0) {
      const lead = Math.clz32(byte) - 24;
      byte ^= 128 >>> lead;
      visit(8 * i + lead, rank++);
    }
  }
}

/** The bits as 32-bit words, bit 31 of word 0 first; `words` is the length of the result (the rest is zero). */
export function toWords(bits: Uint8Array, words: number = Math.ceil(bits.length / 4)): Uint32Array {
  const out = new Uint32Array(words);
  const whole = Math.min(words, bits.length >>> 2);
  for (let i = 0, b = 0; i < whole; i++, b += 4) {
    out[i] =
      ((bits[b] as number) << 24) | ((bits[b + 1] as number) << 16) | ((bits[b + 2] as number) << 8) | (bits[b + 3] as number);
  }
  for (let b = whole * 4; b < bits.length && b >>> 2 < words; b++) {
    out[b >>> 2] = (out[b >>> 2] as number) | ((bits[b] as number) << (24 - 8 * (b & 3)));
  }
  return out;
}

/** The first `length` bits of `words` as bytes. */
export function fromWords(words: Uint32Array, length: number): Uint8Array {
  const out = new Uint8Array(byteLength(length));
  const whole = out.length >>> 2;
  for (let i = 0, b = 0; i < whole; i++, b += 4) {
    const word = words[i] as number;
    out[b] = word >>> 24;
    out[b + 1] = word >>> 16;
    out[b + 2] = word >>> 8;
    out[b + 3] = word;
  }
  for (let b = 4 * whole; b < out.length; b++) out[b] = (words[whole] as number) >>> (24 - 8 * (b & 3));
  return clearTail(out, length);
}
