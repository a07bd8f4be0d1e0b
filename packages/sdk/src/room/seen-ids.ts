/** Ids remembered of one author: more than a mailbox and an outbox can hold. */
const MAX_PER_AUTHOR = 20_000;
/** Authors remembered; a room has at most 16 at a time. */
const MAX_AUTHORS = 64;

/** What was handed to the application before, so that a repetition is dropped. An author who sends many pushes out its own. */
export class SeenIds {
  readonly #authors = new Map<string, Set<string>>();

  has(author: string, id: string): boolean {
    return this.#authors.get(author)?.has(id) ?? false;
  }

  add(author: string, id: string): void {
    const ids = this.#authors.get(author) ?? new Set();
    // Written last is forgotten last.
    this.#authors.delete(author);
    this.#authors.set(author, ids);
    ids.add(id);
    trim(ids, MAX_PER_AUTHOR);
    trim(this.#authors, MAX_AUTHORS);
  }
}

function trim(entries: Set<string> | Map<string, unknown>, limit: number): void {
  for (const oldest of entries.keys()) {
    if (entries.size <= limit) return;
    entries.delete(oldest);
  }
}
