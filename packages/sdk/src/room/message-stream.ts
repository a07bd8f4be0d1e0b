import { QsecError } from '../errors.ts';

const BUFFER_LIMIT = 1024;

/** Turns pushed values into an async iterable with a bounded buffer. */
export class MessageStream<T> implements AsyncIterable<T> {
  readonly #buffer: T[] = [];
  #wake: (() => void) | undefined;
  #end: { error?: unknown } | undefined;

  push(value: T): void {
    if (this.#end) return;
    this.#buffer.push(value);
    if (this.#buffer.length > BUFFER_LIMIT) {
      const error = new QsecError(
        'INVALID_ARGUMENT',
        `The reader fell ${BUFFER_LIMIT} messages behind; use room.history() to catch up.`,
      );
      this.end(error);
    }
    this.#wake?.();
  }

  /** Ends after what is buffered, with `error` if given. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#buffer.length > 0) yield this.#buffer.shift() as T;
      if (this.#end) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      }
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
