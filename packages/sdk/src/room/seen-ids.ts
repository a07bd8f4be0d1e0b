import { forgetOldest } from './forget-oldest.ts';

/** Ids remembered of one author: more than a mailbox and an outbox can hold. */
const MAX_PER_AUTHOR = 20_000;
/** Authors remembered; a room has at most 16 at a time. */
const MAX_AUTHORS = 64;

/** What was handed to the application before, so that a repetition is dropped. An author who sends many pushes out its own. */
export class SeenIds {
  readonly #authors = new Map<string, Set<string>>();
  readonly #onForgotten: (id: string) => void;

  /** @param onForgotten told of every id that is remembered no more */
  constructor(onForgotten: (id: string) => void = () => undefined) {
    this.#onForgotten = onForgotten;
  }

  has(author: string, id: string): boolean {
    return this.#authors.get(author)?.has(id) ?? false;
  }

  add(author: string, id: string): void {
    const ids = this.#authors.get(author) ?? new Set();
    // Written last is forgotten last.
    this.#authors.delete(author);
    this.#authors.set(author, ids);
    ids.add(id);
    for (const forgotten of forgetOldest(ids, MAX_PER_AUTHOR)) this.#onForgotten(forgotten);
    if (this.#authors.size <= MAX_AUTHORS) return;
    for (const [oldest, theirs] of this.#authors) {
      for (const forgotten of theirs) this.#onForgotten(forgotten);
      this.#authors.delete(oldest);
      return;
    }
  }
}
