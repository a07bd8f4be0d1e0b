/** Which messages of one author came, by the numbers the author gave them. Bounded: numbers far apart cost nothing. */

const MAX_AHEAD = 4096;

export class Heads {
  #next: number | undefined;
  /** Losses below this were told of. They still count as missing to the author, who may have them and repeat them. */
  #told = 0;
  readonly #ahead = new Set<number>();

  /** The author sends us nothing below `first` that has not come: it was not for us, or is given up. */
  begin(first: number): void {
    this.#next = Math.max(this.#next ?? 0, first);
    for (const index of this.#ahead) if (index < this.#next) this.#ahead.delete(index);
    this.#advance();
  }

  /** Whether the author told us where to begin. */
  get begun(): boolean {
    return this.#next !== undefined;
  }

  /** Everything below this came. */
  get next(): number {
    return this.#next ?? 0;
  }

  add(index: number): void {
    if (index < this.next) return;
    this.#ahead.add(index);
    if (this.#ahead.size > MAX_AHEAD) {
      const lowest = Math.min(...this.#ahead);
      // So many came behind a loss that nobody repeats it any more.
      if (this.begun) this.#next = lowest;
      else this.#ahead.delete(lowest);
    }
    this.#advance();
  }

  /** How many messages below `head` did not come and were not told of. */
  missing(head: number): number {
    if (this.#next === undefined) return 0;
    const from = Math.max(this.#next, this.#told);
    if (head <= from) return 0;
    const came = [...this.#ahead].filter((index) => index >= from && index < head).length;
    return head - from - came;
  }

  /** What is missing below `head` was told of, once and for all. */
  tellUpTo(head: number): void {
    this.#told = Math.max(this.#told, head);
  }

  #advance(): void {
    if (this.#next === undefined) return;
    while (this.#ahead.delete(this.#next)) this.#next++;
  }
}
