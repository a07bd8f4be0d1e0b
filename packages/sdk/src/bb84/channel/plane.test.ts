import { describe, expect, it } from 'vitest';
import { pack } from '../bits.ts';
import {
  bernoulliPlane,
  clearTail,
  copyPlane,
  countOnes,
  fullPlane,
  newPlane,
  wordsOf,
  writablePlane,
  writeBit,
} from './plane.ts';
import type { PhysicsRandom } from './types.ts';

/** A generator that says these words, counts them and has no others. */
function saying(...words: number[]): PhysicsRandom & { said: number } {
  return {
    said: 0,
    next() {
      const word = words[this.said++];
      if (word === undefined) throw new Error('no word is left');
      return word;
    },
  };
}

/** A view of `bytes` at this place of a larger buffer. */
function within(bytes: readonly number[], offset: number, size: number): Uint8Array {
  const buffer = new Uint8Array(size).fill(0xee);
  buffer.set(bytes, offset);
  return buffer.subarray(offset, offset + bytes.length);
}

describe('a new plane', () => {
  it.each([
    [0, 0, 0],
    [1, 1, 4],
    [8, 1, 4],
    [9, 2, 4],
    [32, 4, 4],
    [33, 5, 8],
    [64, 8, 8],
  ])('of %d pulses has %d bytes, in a buffer of %d', (count, bytes, buffer) => {
    const plane = newPlane(count);
    expect([plane.length, plane.byteOffset, plane.buffer.byteLength]).toEqual([bytes, 0, buffer]);
    expect(plane.every((byte) => byte === 0)).toBe(true);
  });

  it('copies as many bytes as its pulses need, into memory of its own', () => {
    const source = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
    const copy = copyPlane(source, 35);
    expect([...copy]).toEqual([1, 2, 3, 4, 5]);
    expect(copy.buffer.byteLength).toBe(8);
    copy[0] = 9;
    expect(source[0]).toBe(1);
  });

  it('has ones up to its last pulse and none in the padding', () => {
    for (const count of [1, 7, 8, 9, 31, 32, 33, 40]) {
      const plane = fullPlane(count);
      expect(plane).toEqual(pack(new Array(count).fill(1)));
      expect(countOnes(plane)).toBe(count);
      expect([...new Uint8Array(plane.buffer).subarray(plane.length)].every((byte) => byte === 0)).toBe(true);
    }
  });
});

describe('the words of a plane', () => {
  it('are the same memory when the plane ends its buffer at whole words', () => {
    for (const plane of [newPlane(32), newPlane(37), within([1, 2, 3, 4], 4, 8)]) {
      const words = wordsOf(plane);
      expect(words.buffer).toBe(plane.buffer);
      expect(words.byteOffset).toBe(plane.byteOffset);
      expect(words.length).toBe(Math.ceil(plane.length / 4));
      expect(writablePlane(plane, 8 * plane.length)).toBe(plane);
    }
  });

  it.each([
    ['starts between words', within([1, 2, 3, 4], 3, 7)],
    ['starts between words of a buffer that it does not end', within([1, 2, 3, 4], 2, 12)],
    ['starts between words and would end its buffer with them', within([1, 2, 3], 1, 5)],
    ['has a neighbour in its last word', within([1, 2, 3], 0, 4)],
    ['has a neighbour after its last word', within([1, 2, 3, 4], 0, 8)],
    ['ends a buffer that is no whole words', within([1, 2, 3, 4, 5], 0, 5)],
  ])('are a copy that ends in zeros when the plane %s', (_, plane) => {
    const bytes = [...plane];
    const padded = Uint8Array.from({ length: Math.ceil(bytes.length / 4) * 4 }, (_, i) => bytes[i] ?? 0);
    const words = wordsOf(plane);
    expect(words.buffer).not.toBe(plane.buffer);
    expect([...new Uint8Array(words.buffer)]).toEqual([...padded]);

    const writable = writablePlane(plane, 8 * bytes.length);
    expect(writable).not.toBe(plane);
    expect([...writable]).toEqual(bytes);
    expect(wordsOf(writable).buffer).toBe(writable.buffer);
  });
});

describe('the bits of a plane', () => {
  it('are set and cleared one at a time, the first of a byte highest', () => {
    const plane = newPlane(24);
    for (const index of [0, 7, 9, 16]) writeBit(plane, index, 1);
    expect([...plane]).toEqual([0x81, 0x40, 0x80]);
    for (const index of [0, 9]) writeBit(plane, index, 0);
    writeBit(plane, 1, 0);
    expect([...plane]).toEqual([0x01, 0, 0x80]);
  });

  it('are counted', () => {
    expect(countOnes(pack([1, 0, 1, 1, 0, 0, 0, 0, 1]))).toBe(4);
    for (let bit = 0; bit < 40; bit++) {
      const plane = newPlane(40);
      writeBit(plane, bit, 1);
      expect(countOnes(plane)).toBe(1);
    }
    expect(countOnes(Uint8Array.from({ length: 256 }, (_, i) => i))).toBe(1024);
  });

  it('are zero from the count on, in the last byte and in the padding, and as they were before', () => {
    for (let count = 0; count <= 32; count++) {
      const plane = newPlane(count);
      new Uint8Array(plane.buffer).fill(0xff);
      clearTail(plane, count);
      const all = new Uint8Array(plane.buffer);
      for (let bit = 0; bit < 8 * all.length; bit++)
        expect(((all[bit >>> 3] as number) >>> (7 - (bit & 7))) & 1, `bit ${bit} of ${count}`).toBe(bit < count ? 1 : 0);
    }
  });
});

describe('a plane of bits that are one with a probability', () => {
  it('draws nothing where nothing is left to chance', () => {
    expect(bernoulliPlane(37, 0, saying())).toEqual(newPlane(37));
    expect(bernoulliPlane(37, 1, saying())).toEqual(fullPlane(37));
  });

  // Digits of the probability in binary, the one after the point last: the lowest is folded in first.
  it.each<[number, number, (a: number, b: number, c: number, d: number) => number]>([
    [0.5, 1, (a) => a],
    [0.25, 2, (a, b) => a & b],
    [0.75, 2, (a, b) => a | b],
    [0.625, 3, (a, b, c) => (a & b) | c],
    [0.375, 3, (a, b, c) => (a | b) & c],
    // The least and the greatest that are drawn bit by bit.
    [0.0625, 4, (a, b, c, d) => a & b & c & d],
    [0.9375, 4, (a, b, c, d) => a | b | c | d],
  ])('folds a uniform word into every word for each binary digit of %d', (probability, digits, fold) => {
    const words = Array.from({ length: 2 * digits }, (_, i) => Math.imul(0x9e3779b9, i + 1) >>> 0);
    const random = saying(...words);
    const plane = bernoulliPlane(64, probability, random);
    expect(random.said).toBe(2 * digits);
    const folded = (at: number): number => fold(...(words.slice(at) as [number, number, number, number])) >>> 0;
    expect([...wordsOf(plane)]).toEqual([folded(0), folded(digits)]);
  });

  it('places rare ones by the gaps before them, and stops at the first that is past the end', () => {
    const probability = 1 / 32;
    // A word that stands for a gap: uniform numbers from (1 − p)^(gap + 1) to (1 − p)^gap do.
    const gap = (length: number): number => Math.floor((1 - probability) ** (length + 0.5) * 2 ** 32) - 1;
    const random = saying(gap(0), gap(0), gap(5), gap(30), gap(1), gap(0));
    const plane = bernoulliPlane(40, probability, random);
    expect(
      [...plane].flatMap((byte, i) => [...Array(8).keys()].filter((bit) => byte & (0x80 >> bit)).map((bit) => 8 * i + bit)),
    ).toEqual([0, 1, 7, 38]);
    expect(random.said).toBe(5);

    const last = bernoulliPlane(40, probability, saying(gap(39), gap(0)));
    expect([...last]).toEqual([0, 0, 0, 0, 1]);
    expect([...bernoulliPlane(40, probability, saying(gap(40)))]).toEqual([0, 0, 0, 0, 0]);
    // Where ones are the rule, it is the zeros that are placed.
    expect([...bernoulliPlane(13, 1 - probability, saying(gap(2), gap(0), gap(99)))]).toEqual([0b11001111, 0b11111000]);
  });

  it('has nothing where the gap is longer than any index', () => {
    expect([...bernoulliPlane(40, 1e-12, saying(0x7fffffff))]).toEqual([0, 0, 0, 0, 0]);
  });
});
