import { expect, test } from 'vitest';
import {
  and,
  andNot,
  clearTail,
  deposit,
  flipBit,
  fromWords,
  getBit,
  hammingDistance,
  not,
  ones,
  pack,
  parity,
  popcount,
  popcount32,
  select,
  setBit,
  toWords,
  unpack,
  xor,
} from './bits.ts';
import { biasedBits, randomBits, randomBytes } from './random.ts';

test('the first bit is the most significant', () => {
  expect(pack([1, 0, 0, 0, 0, 0, 0, 1, 1])).toEqual(Uint8Array.of(0x81, 0x80));
  expect([...unpack(Uint8Array.of(0x81, 0x80), 9)]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 1]);
});

test('single bits can be read, set and flipped', () => {
  const bits = new Uint8Array(2);
  setBit(bits, 9);
  expect(getBit(bits, 9)).toBe(1);
  flipBit(bits, 9);
  flipBit(bits, 0);
  expect(bits).toEqual(Uint8Array.of(0x80, 0));
});

test('bitwise operations agree with their definition bit by bit', () => {
  for (const length of [1, 7, 8, 31, 32, 33, 1000]) {
    const a = randomBits(length);
    const b = randomBits(length);
    const [x, y] = [unpack(a, length), unpack(b, length)];
    const each = (f: (p: number, q: number) => number) => pack([...x].map((p, i) => f(p, y[i] as number)));
    expect(xor(a, b)).toEqual(each((p, q) => p ^ q));
    expect(and(a, b)).toEqual(each((p, q) => p & q));
    expect(andNot(a, b)).toEqual(each((p, q) => p & (1 - q)));
    expect(not(a, length)).toEqual(each((p) => 1 - p));
    expect(popcount(a)).toBe(x.reduce((s, p) => s + p, 0));
    expect(parity(a)).toBe(popcount(a) & 1);
    expect(hammingDistance(a, b)).toBe(popcount(xor(a, b)));
    expect(select(a, b)).toEqual(pack([...x].filter((_, i) => y[i])));
    expect(select(deposit(select(a, b), b), b)).toEqual(select(a, b));
    expect(select(a, ones(length))).toEqual(a);
    expect(fromWords(toWords(a), length)).toEqual(a);
  }
});

test('words hold the first bit highest', () => {
  expect(toWords(Uint8Array.of(0x80, 0, 0, 1, 0xff), 2)).toEqual(Uint32Array.of(0x80000001, 0xff000000));
  expect(popcount32(0xffffffff)).toBe(32);
});

test('the tail past the length is zero', () => {
  expect(clearTail(Uint8Array.of(255, 255, 255), 11)).toEqual(Uint8Array.of(255, 0xe0, 0));
  expect(clearTail(Uint8Array.of(255), 8)).toEqual(Uint8Array.of(255));
});

test('random bytes can be longer than one call to the platform allows', () => {
  const bytes = randomBytes(200_000);
  expect(popcount(bytes.subarray(131_072)) / ((200_000 - 131_072) * 8)).toBeCloseTo(0.5, 1);
});

test('biased bits have the requested mean within six standard deviations', () => {
  const length = 400_000;
  for (const p of [0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1]) {
    const sigma = Math.sqrt((p * (1 - p)) / length);
    expect(Math.abs(popcount(biasedBits(length, p)) / length - p)).toBeLessThanOrEqual(6 * sigma + 2 ** -16);
  }
});
