/** Entries by name, in the order they were put there, and what they take together. */
export class Shelf<T> {
  readonly #entries = new Map<string, { entry: T; bytes: number }>();
  readonly #sizeOf: (entry: T) => number;
  #bytes = 0;

  constructor(sizeOf: (entry: T) => number) {
    this.#sizeOf = sizeOf;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)?.entry;
  }

  /** A copy: what is done to the shelf meanwhile changes nothing. */
  all(): [name: string, entry: T][] {
    return Array.from(this.#entries, ([name, { entry }]) => [name, entry]);
  }

  /** Puts an entry there, or leaves it where it stands. */
  put(name: string, entry: T): void {
    if (this.#entries.has(name)) return;
    const bytes = this.#sizeOf(entry);
    this.#entries.set(name, { entry, bytes });
    this.#bytes += bytes;
  }

  take(name: string): void {
    this.#bytes -= this.#entries.get(name)?.bytes ?? 0;
    this.#entries.delete(name);
  }

  /** Takes the oldest away until no more is left than that. Returns their names. */
  trim(most: number, mostBytes: number): string[] {
    const gone: string[] = [];
    for (const name of this.#entries.keys()) {
      if (this.size <= most && this.#bytes <= mostBytes) break;
      gone.push(name);
      this.take(name);
    }
    return gone;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}
