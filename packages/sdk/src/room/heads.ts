/** Which messages of one author came, by the numbers the author gave them. Bounded: numbers far apart cost nothing. */

const MAX_AHEAD = 4096;

export class Heads {
  #next: number | undefined;
  /** Losses below this were told of. They still count as missing to the author, who may have them and repeat them. */
  #told = 0;
  readonly #ahead = new Set<number>();

  /** The author's next number when we first shared keys: nothing before it is for us. */
  begin(next: number): void {
    this.#next ??= next;
  }

  /** Everything below this came. */
  get next(): number {
    return this.#next ?? 0;
  }

  add(index: number): void {
    if (this.#next === undefined || index < this.#next) return;
    this.#ahead.add(index);
    // So many came behind a loss that nobody repeats it any more.
    if (this.#ahead.size > MAX_AHEAD) this.#next = Math.min(...this.#ahead);
    while (this.#ahead.delete(this.#next)) this.#next++;
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
}
