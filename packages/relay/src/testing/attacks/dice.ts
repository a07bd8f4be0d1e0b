/** Randomness that can be had again: the same seed throws the same numbers (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From 0, below `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }

  chance(of: number): boolean {
    return this.next() < of;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next() * 256;
    return bytes;
  }

  /** Mostly short. */
  length(most: number): number {
    return Math.floor(most ** this.next());
  }

  /** The same bytes with something wrong about them. */
  damaged(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1);
    switch (this.below(5)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return Buffer.concat([bytes.subarray(0, at), this.bytes(this.length(64)), bytes.subarray(at)]);
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(this.below(bytes.length + 1))]);
      case 3:
        return Buffer.concat([bytes, bytes.subarray(at)]);
      default: {
        const copy = Buffer.from(bytes);
        for (let flips = this.length(8); flips > 0 && copy.length > 0; flips--) {
          const place = this.below(copy.length);
          copy[place] = copy[place]! ^ (1 << this.below(8));
        }
        return copy;
      }
    }
  }
}
