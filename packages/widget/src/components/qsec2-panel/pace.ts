/**
 * Keeps pictures apart while keys are being agreed: each takes longer to draw than a step of the agreement takes to compute,
 * and they share one thread. The first one is shown at once, and so is the last.
 */
export class Pace {
  readonly #show: () => void;
  readonly #apartMs: number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #next: ReturnType<typeof setTimeout> | undefined;

  constructor(show: () => void, apartMs: number) {
    this.#show = show;
    this.#apartMs = apartMs;
  }

  /** Shows now when `busy` is over or the last picture was long enough ago; otherwise as soon as it was. */
  changed(busy: boolean): void {
    const wait = this.#shownAt + this.#apartMs - performance.now();
    if (!busy || wait <= 0) this.#now();
    else this.#next ??= setTimeout(() => this.#now(), wait);
  }

  stop(): void {
    clearTimeout(this.#next);
    this.#next = undefined;
  }

  #now(): void {
    this.stop();
    this.#shownAt = performance.now();
    this.#show();
  }
}
