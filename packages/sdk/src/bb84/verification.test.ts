import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flipBit } from './bits.ts';
import { randomBytes } from './random.ts';
import { PRIME, tagCollision, tagLength, universalTag } from './verification.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the tag is the documented polynomial', () => {
  // 9 bytes: length term 10, then the 7-byte block 0x01020304050607 and the rest 0x0809; at the point 3.
  const key = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const value = (((10n * 3n + 0x01020304050607n) * 3n + 0x0809n) * 3n) % PRIME;
  const tag = universalTag(key, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 3));
  expect(new DataView(tag.buffer).getBigUint64(0)).toBe(value);
});

test('tags have known values, also at points and with values above the prime and next to it', () => {
  // Computed apart from this code.
  const key = Uint8Array.from({ length: 32 }, (_, i) => 200 + i);
  const tag = (of: Uint8Array, seed: string): string => hex(universalTag(of, Buffer.from(seed, 'hex')));
  expect(tag(key, 'ffffffffffffffff0123456789abcdef')).toBe('318664985f44ab426fe46cf7f9ff4da1');
  expect(tag(key, 'ffffffffffffffc5ffffffffffffffc4')).toBe('0000000000000000000e0e0d29282748');
  expect(tag(new Uint8Array(0), 'ffffffffffffffc4')).toBe('ffffffffffffffc4');
});

test('the modulus is a prime, which the bound on collisions rests on', () => {
  const power = (base: bigint, exponent: bigint): bigint => {
    let [result, square] = [1n, base % PRIME];
    for (let rest = exponent; rest > 0n; rest >>= 1n) {
      if (rest & 1n) result = (result * square) % PRIME;
      square = (square * square) % PRIME;
    }
    return result;
  };
  // Miller and Rabin's test, which is a proof below 3.3·10²⁴ with these bases (Sorenson and Webster, Math. Comp. 86, 985, 2017).
  let odd = PRIME - 1n;
  let halvings = 0;
  for (; odd % 2n === 0n; odd /= 2n) halvings++;
  for (const base of [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n]) {
    const squares = Array.from({ length: halvings }, (_, i) => power(base, odd * 2n ** BigInt(i)));
    expect(squares[0] === 1n || squares.includes(PRIME - 1n)).toBe(true);
  }
});

test('equal keys have equal tags and a single flipped bit changes them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), fc.constantFrom(8, 16), (key, at, seedBytes) => {
      const seed = randomBytes(seedBytes);
      const tag = universalTag(key, seed);
      expect(tag).toHaveLength(seedBytes);
      expect(universalTag(key.slice(), seed)).toEqual(tag);
      const other = key.slice();
      flipBit(other, at % (8 * key.length));
      expect(universalTag(other, seed)).not.toEqual(tag);
    }),
  );
});

test('leading and trailing zeros count', () => {
  const seed = randomBytes(8);
  const tags = [[], [0], [0, 0], [0, 1], [1, 0], [1]].map((bytes) => universalTag(Uint8Array.from(bytes), seed).join());
  expect(new Set(tags).size).toBe(tags.length);
});

test('the tag is as long as the wanted ε asks for, and never shorter than 64 bits', () => {
  expect(tagLength(12_000, 1e-15)).toBe(8);
  expect(tagLength(12_000, 1e-20)).toBe(16);
  expect(tagLength(1, 0.5)).toBe(8);
  for (const [bits, epsilon] of [
    [1e4, 1e-15],
    [1e7, 1e-15],
    [1e6, 1e-30],
  ] as const) {
    expect(tagCollision(bits, tagLength(bits, epsilon))).toBeLessThanOrEqual(epsilon);
  }
});

test('a seed that is no multiple of 8 bytes is refused', () => {
  expect(() => universalTag(new Uint8Array(3), new Uint8Array(7))).toThrow('"seed" expected a multiple of 8 bytes, got length=7');
  expect(() => universalTag(new Uint8Array(3), new Uint8Array(0))).toThrow('"seed"');
});
