import { byteLength } from '../bits.ts';
import { unitInterval } from './physics-random.ts';
import type { PhysicsRandom } from './types.ts';

/**
 * Bit planes that can also be worked on 32 pulses at a time. The words are the bytes as they lie in memory, so only operations
 * that treat all 32 bits alike may use them.
 */

/** An all-zero plane whose buffer is whole words, so that {@link wordsOf} views it without a copy. */
export const newPlane = (count: number): Uint8Array =>
  new Uint8Array(new ArrayBuffer(((count + 31) >>> 5) << 2), 0, byteLength(count));

/** A copy of `source` in whole words. */
export function copyPlane(source: Uint8Array, count: number): Uint8Array {
  const plane = newPlane(count);
  plane.set(source.subarray(0, plane.length));
  return plane;
}

/** The plane's words: the same memory where it is word-aligned and ends the buffer, but for padding; else a copy to read from. */
export function wordsOf(plane: Uint8Array): Uint32Array {
  const words = (plane.length + 3) >>> 2;
  const end = plane.byteOffset + words * 4;
  if (plane.byteOffset % 4 === 0 && end === plane.buffer.byteLength && isZero(plane.buffer, plane.byteOffset + plane.length))
    return new Uint32Array(plane.buffer, plane.byteOffset, words);
  const copy = new Uint8Array(words * 4);
  copy.set(plane);
  return new Uint32Array(copy.buffer);
}

/** Whether a buffer holds nothing from a byte on. What it holds after a plane, in the plane's last word, is a neighbour's. */
const isZero = (buffer: ArrayBufferLike, from: number): boolean => new Uint8Array(buffer, from).every((byte) => byte === 0);

/** `plane` itself when its words can be written in place, else a copy whose words can. */
export const writablePlane = (plane: Uint8Array, count: number): Uint8Array =>
  wordsOf(plane).buffer === plane.buffer ? plane : copyPlane(plane, count);

/** Zeroes the bits after the last pulse, in the last byte and in the padding of the last word. */
export function clearTail(plane: Uint8Array, count: number): void {
  new Uint8Array(plane.buffer, plane.byteOffset, plane.buffer.byteLength - plane.byteOffset).fill(0, byteLength(count));
  if (count % 8 !== 0) plane[count >>> 3] = (plane[count >>> 3] as number) & (0xff00 >>> (count % 8));
}

/** Sets bit `index` to `bit`, in place. */
export function writeBit(plane: Uint8Array, index: number, bit: number): void {
  const mask = 0x80 >>> (index & 7);
  const byte = plane[index >>> 3] as number;
  plane[index >>> 3] = bit ? byte | mask : byte & ~mask;
}

/** A plane of ones. */
export function fullPlane(count: number): Uint8Array {
  const plane = newPlane(count).fill(0xff);
  clearTail(plane, count);
  return plane;
}

/** How many bits are set. */
export function countOnes(plane: Uint8Array): number {
  const words = wordsOf(plane);
  let ones = 0;
  for (let i = 0; i < words.length; i++) {
    let w = words[i] as number;
    w -= (w >>> 1) & 0x55555555;
    w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
    ones += Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return ones;
}

/** Below this, drawing the distance to the next set bit is cheaper than drawing every bit. */
const SPARSE = 1 / 16;

/**
 * A plane in which each bit is set independently with the given probability, to a precision of 2⁻³².
 *
 * Rare bits are placed by geometric gaps (Devroye, "Non-Uniform Random Variate Generation", 1986, ch. X.2); common ones by
 * folding uniform words along the binary digits of the probability, 32 bits at a time.
 */
export function bernoulliPlane(count: number, probability: number, random: PhysicsRandom): Uint8Array {
  if (probability > 1 - SPARSE) return complement(bernoulliPlane(count, 1 - probability, random), count);
  const plane = newPlane(count);
  if (probability <= 0) return plane;
  if (probability < SPARSE) {
    const scale = 1 / Math.log1p(-probability);
    // Gaps may exceed 2³² for tiny probabilities, so the position stays a float until it is known to be in range.
    for (
      let at = Math.floor(Math.log(unitInterval(random)) * scale);
      at < count;
      at += 1 + Math.floor(Math.log(unitInterval(random)) * scale)
    ) {
      plane[at >>> 3] = (plane[at >>> 3] as number) | (0x80 >>> (at & 7));
    }
    return plane;
  }
  const words = wordsOf(plane);
  const threshold = Math.round(probability * 0x1_0000_0000) >>> 0;
  const lowest = 31 - Math.clz32(threshold & -threshold);
  for (let i = 0; i < words.length; i++) {
    let word = 0;
    for (let digit = lowest; digit < 32; digit++) {
      word = (threshold >>> digit) & 1 ? word | random.next() : word & random.next();
    }
    words[i] = word;
  }
  clearTail(plane, count);
  return plane;
}

function complement(plane: Uint8Array, count: number): Uint8Array {
  const words = wordsOf(plane);
  for (let i = 0; i < words.length; i++) words[i] = ~(words[i] as number);
  clearTail(plane, count);
  return plane;
}
