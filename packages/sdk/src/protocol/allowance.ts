/** So much at once, and so much a second after that: a token bucket (RFC 2697 §3, with one colour). */
export class Allowance {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #at = Date.now();

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
  }

  /** What may be spent at this moment. */
  get left(): number {
    const now = Date.now();
    // A clock that is set back gives nothing and takes nothing.
    const seconds = Math.max(0, now - this.#at) / 1000;
    this.#at = now;
    this.#left = Math.min(this.#most, this.#left + seconds * this.#perSecond);
    return this.#left;
  }

  /** Takes it off, or nothing where that is more than there is. @returns whether there was enough */
  spend(amount: number): boolean {
    if (amount > this.left) return false;
    this.#left -= amount;
    return true;
  }

  /** It was not needed after all. */
  restore(amount: number): void {
    this.#left = Math.min(this.#most, this.#left + amount);
  }
}
