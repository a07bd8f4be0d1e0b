import type { PhysicsRandom } from './types.ts';

/** Spreads a 32-bit seed over the generator's state: SplitMix's additive constant with MurmurHash3's 32-bit finalizer. */
function* spread(seed: number): Generator<number, never> {
  let state = seed >>> 0;
  for (;;) {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    yield (z ^ (z >>> 16)) >>> 0;
  }
}

const rotateLeft = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/**
 * A seeded generator for replaying a simulation: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47(4), 2021). Fast and predictable: for physics only.
 *
 * @param seed any integer, of which the low 32 bits count, or the four words of the state, not all 0.
 */
export class Xoshiro128 implements PhysicsRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number | readonly [number, number, number, number]) {
    const words = typeof seed === 'number' ? spread(seed) : seed.values();
    const word = (): number => (words.next().value ?? 0) | 0;
    [this.#a, this.#b, this.#c, this.#d] = [word(), word(), word(), word()];
  }

  next(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotateLeft(this.#d, 11);
    return result >>> 0;
  }
}

/** Words from the system's CSPRNG, fetched in blocks. What a simulation uses when no seed is given. */
export class SystemRandom implements PhysicsRandom {
  // getRandomValues fills at most 65536 bytes a call (Web Cryptography API §10.1.1).
  readonly #block = new Uint32Array(2048);
  #at = 2048;

  next(): number {
    if (this.#at === this.#block.length) {
      crypto.getRandomValues(this.#block);
      this.#at = 0;
    }
    return this.#block[this.#at++] as number;
  }
}

/** The generator for a run: seeded for replay, else the system's. */
export const physicsRandom = (seed?: number): PhysicsRandom => (seed === undefined ? new SystemRandom() : new Xoshiro128(seed));

/** A uniform number in (0, 1], safe to take the logarithm of. */
export const unitInterval = (random: PhysicsRandom): number => (random.next() + 1) / 0x1_0000_0000;

/** True with the given probability, to a precision of 2⁻³². */
export const happens = (random: PhysicsRandom, probability: number): boolean => random.next() < probability * 0x1_0000_0000;
