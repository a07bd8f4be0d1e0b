import fc from 'fast-check';
import { expect, test } from 'vitest';
import { getBit, pack, xor } from './bits.ts';
import { direct, toeplitz, toeplitzSeedBits, transformed } from './privacy-amplification.ts';
import { randomBits, randomBytes } from './random.ts';

/** The documented sum, bit by bit. */
function slowly(key: Uint8Array, seed: Uint8Array, outputBits: number): Uint8Array {
  const n = 8 * key.length;
  const out: number[] = [];
  for (let i = 0; i < outputBits; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum ^= getBit(seed, n - 1 - j + i) & getBit(key, j);
    out.push(sum);
  }
  return pack(out);
}

const sizes = fc
  .integer({ min: 1, max: 40 })
  .chain((bytes) => fc.tuple(fc.constant(bytes), fc.integer({ min: 1, max: 8 * bytes })));

test('both ways of computing the product are the documented sum', () => {
  fc.assert(
    fc.property(sizes, ([bytes, outputBits]) => {
      const key = randomBytes(bytes);
      const seed = randomBits(toeplitzSeedBits(bytes, outputBits));
      const expected = slowly(key, seed, outputBits);
      expect(direct(key, seed, outputBits)).toEqual(expected);
      expect(transformed(key, seed, outputBits)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test('the size decides the way and not the result', () => {
  for (const outputBits of [256, 2047, 2048, 2049, 9000, 32768]) {
    const key = randomBytes(6000);
    const seed = randomBits(toeplitzSeedBits(key.length, outputBits));
    const out = toeplitz(key, seed, outputBits);
    expect(out).toEqual(direct(key, seed, outputBits));
    expect(out).toEqual(transformed(key, seed, outputBits));
  }
});

test('the product is linear, and a shorter one is a prefix of a longer one', () => {
  const [a, b] = [randomBytes(500), randomBytes(500)];
  const seed = randomBits(toeplitzSeedBits(500, 1024));
  expect(toeplitz(xor(a, b), seed, 1024)).toEqual(xor(toeplitz(a, seed, 1024), toeplitz(b, seed, 1024)));
  expect(toeplitz(a, seed.subarray(0, 532), 256)).toEqual(toeplitz(a, seed, 1024).subarray(0, 32));
});

test('every output bit of a worked example is what the matrix says', () => {
  // n = 8, m = 3: row i of the matrix is s[7 + i], s[6 + i], …, s[i]; the seed has ones at 0, 2, 3, 7 and 9.
  const seed = pack([1, 0, 1, 1, 0, 0, 0, 1, 0, 1]);
  expect(toeplitz(Uint8Array.of(0b10000000), seed, 3)).toEqual(pack([1, 0, 1]));
  expect(toeplitz(Uint8Array.of(0b00000001), seed, 3)).toEqual(pack([1, 0, 1]));
  expect(toeplitz(Uint8Array.of(0b00001100), seed, 3)).toEqual(pack([0, 1, 0]));
});

test('wrong sizes are refused by name', () => {
  const key = new Uint8Array(4);
  expect(() => toeplitz(key, new Uint8Array(4), 8)).toThrow('"seed" expected at least 5 bytes, got length=4');
  expect(() => toeplitz(key, new Uint8Array(99), 33)).toThrow('"outputBits"');
  expect(() => toeplitz(key, new Uint8Array(99), 1.5)).toThrow('"outputBits"');
  expect(toeplitz(key, new Uint8Array(4), 0)).toHaveLength(0);
});
