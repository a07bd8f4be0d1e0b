/** Longest delay a timer takes. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls once for each message whose time is up. One timer for all of them. */
export class Expiry {
  readonly #due = new Map<string, number>();
  readonly #onExpired: (id: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextAt = Number.POSITIVE_INFINITY;

  constructor(onExpired: (id: string) => void) {
    this.#onExpired = onExpired;
  }

  /** @param at milliseconds since 1970 */
  set(id: string, at: number): void {
    this.#due.set(id, at);
    if (at < this.#nextAt) this.#wakeAt(at);
  }

  delete(id: string): void {
    this.#due.delete(id);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#due.clear();
  }

  #wakeAt(at: number): void {
    clearTimeout(this.#timer);
    this.#nextAt = at;
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(0, at - Date.now()), MAX_TIMER_MS));
    // In Node a message that will disappear must not keep a finished script alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #expire(): void {
    const now = Date.now();
    const expired = [...this.#due].filter(([, at]) => at <= now);
    for (const [id] of expired) this.#due.delete(id);
    this.#nextAt = Number.POSITIVE_INFINITY;
    if (this.#due.size > 0) this.#wakeAt(Math.min(...this.#due.values()));
    for (const [id] of expired) this.#onExpired(id);
  }
}
