import type { Logger } from 'pino';

/** A fault that goes on is told of again no more often. */
const TELL_EVERY_MS = 10_000;
/** Kinds of faults that are counted at a time; of more than these each is told of. */
const MAX_KINDS = 100;

/** Writes faults to the log: the first of a kind at once, those that follow as a number. A full disk fails hundreds of times a minute. */
export class Faults {
  readonly #log: Logger;
  /** How often each kind came since it was told of. */
  readonly #counts = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(log: Logger) {
    this.#log = log;
    this.#timer = setInterval(() => this.#tell(), TELL_EVERY_MS);
    this.#timer.unref();
  }

  /** @param reason what a log may say of it: it holds nothing that a client sent */
  tell(reason: string): void {
    const count = this.#counts.get(reason);
    if (count === undefined) this.#log.error({ reason }, 'failed');
    if (count !== undefined || this.#counts.size < MAX_KINDS) this.#counts.set(reason, (count ?? -1) + 1);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  /** One that did not come again is told of at once the next time. */
  #tell(): void {
    for (const [reason, times] of this.#counts) {
      if (times === 0) this.#counts.delete(reason);
      else {
        this.#log.error({ reason, times }, 'failed again');
        this.#counts.set(reason, 0);
      }
    }
  }
}
