/** Messages that come within this time are read out together. */
const BATCH_MS = 300;
/** From this many on, their number is told instead of their text. */
const BATCH_LIMIT = 3;

/**
 * Reads out what happens, through two hidden live regions. The log itself is silent: it would repeat its whole content
 * whenever history is added.
 */
export class Announcer {
  readonly #regions: () => { polite: HTMLElement | undefined; assertive: HTMLElement | undefined };
  readonly #summary: (count: number) => string;
  #batch: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    regions: () => { polite: HTMLElement | undefined; assertive: HTMLElement | undefined },
    summary: (count: number) => string,
  ) {
    this.#regions = regions;
    this.#summary = summary;
  }

  /** Something to know, when the reader is done with what it is saying. */
  polite(text: string): void {
    const { polite } = this.#regions();
    if (polite) polite.textContent = text;
  }

  /** Something to know at once. */
  assertive(text: string): void {
    const { assertive } = this.#regions();
    if (assertive) assertive.textContent = text;
  }

  /** One message: read out as it is, or counted when many come at once. */
  message(text: string): void {
    this.#batch.push(text);
    this.#timer ??= setTimeout(() => {
      const batch = this.#batch;
      this.#batch = [];
      this.#timer = undefined;
      this.polite(batch.length < BATCH_LIMIT ? batch.join('. ') : this.#summary(batch.length));
    }, BATCH_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
