import { describe, expect, it } from 'vitest';
import { happens, physicsRandom, Xoshiro128 } from './physics-random.ts';
import { bernoulliPlane, countOnes } from './plane.ts';

describe('the seeded generator', () => {
  it('is xoshiro128**', () => {
    // The first words of the reference implementation from state 1, 2, 3, 4.
    const random = new Xoshiro128([1, 2, 3, 4]);
    const words = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
    expect(words.map(() => random.next())).toEqual(words);
  });

  it('starts elsewhere for every seed, 0 and negative ones too', () => {
    const firsts = [-1, 0, 1, 2, 3, 2 ** 31].map((seed) => new Xoshiro128(seed).next());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('gives way to the system when no seed is given', () => {
    const [a, b] = [physicsRandom(), physicsRandom()];
    expect([a.next(), a.next()]).not.toEqual([b.next(), b.next()]);
  });
});

describe('a plane of random bits', () => {
  it.each([0, 1e-6, 1e-3, 0.05, 0.0625, 0.3, 0.5, 0.75, 0.9, 0.95, 0.999, 1])(
    'has the density %d within five sigma',
    (probability) => {
      const count = 1_000_003;
      const ones = countOnes(bernoulliPlane(count, probability, new Xoshiro128(1)));
      expect(Math.abs(ones - count * probability)).toBeLessThanOrEqual(5 * Math.sqrt(count * probability * (1 - probability)));
    },
  );

  it('has no bit after its end', () => {
    for (let count = 1; count < 70; count++) {
      for (const probability of [0.01, 0.5, 0.99, 1]) {
        const plane = bernoulliPlane(count, probability, new Xoshiro128(count));
        expect(plane.length).toBe(Math.ceil(count / 8));
        expect((plane[plane.length - 1] as number) & ((0xff >>> ((count - 1) % 8)) >>> 1)).toBe(0);
      }
    }
  });

  it('sets neighbouring bits independently', () => {
    for (const probability of [0.05, 0.3]) {
      const plane = bernoulliPlane(1 << 20, probability, new Xoshiro128(5));
      let pairs = 0;
      for (const byte of plane) for (let i = 0; i < 4; i++) if (((byte >>> (2 * i)) & 3) === 3) pairs++;
      const expected = (1 << 19) * probability ** 2;
      expect(Math.abs(pairs - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });
});

describe('an event', () => {
  it('never happens with probability 0 and always with 1', () => {
    const random = new Xoshiro128(3);
    for (let i = 0; i < 1000; i++) {
      expect(happens(random, 0)).toBe(false);
      expect(happens(random, 1)).toBe(true);
    }
  });
});
