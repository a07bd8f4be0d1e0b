/**
 * Keeps pictures apart while keys are being agreed: each takes longer to draw than a step of the agreement takes to compute,
 * and they share one thread. An agreement that is over before the first one is due is shown as what it led to.
 */
export class Pace {
  readonly #show: () => void;
  readonly #apartMs: number;
  #next: ReturnType<typeof setTimeout> | undefined;

  constructor(show: () => void, apartMs: number) {
    this.#show = show;
    this.#apartMs = apartMs;
  }

  /** Shows now, or, while `busy`, in a while: what happens until then is in one picture. */
  changed(busy: boolean): void {
    if (busy) this.#next ??= setTimeout(() => this.#now(), this.#apartMs);
    else this.#now();
  }

  stop(): void {
    clearTimeout(this.#next);
    this.#next = undefined;
  }

  #now(): void {
    this.stop();
    this.#show();
  }
}
