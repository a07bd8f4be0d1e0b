/**
 * Counts what a source may use. It fills at `rate` a second up to `burst`; what is taken beyond that is debt, and the time to
 * pay it off is how long the source has to wait.
 */
export class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** @param now monotonic milliseconds */
  constructor(rate: number, burst: number, now: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes them in any case. @returns milliseconds until the debt is paid off; 0 without one. */
  spend(amount: number, now: number): number {
    this.#fill(now);
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#rate) * 1000);
  }

  /** Takes them if they are there. */
  take(amount: number, now: number): boolean {
    this.#fill(now);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Nothing was used for long enough that the bucket is as good as new. */
  full(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.#burst;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#rate) / 1000);
    this.#at = now;
  }
}
