/** Which messages of one author came, by the numbers the author gave them. Bounded: numbers far apart cost nothing. */

const MAX_AHEAD = 4096;

export class Heads {
  #next: number | undefined;
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
    if (this.#next === undefined || index < this.#next || this.#ahead.size >= MAX_AHEAD) return;
    this.#ahead.add(index);
    while (this.#ahead.delete(this.#next)) this.#next++;
  }

  /** How many messages below `head` did not come. */
  missing(head: number): number {
    if (this.#next === undefined || head <= this.#next) return 0;
    const came = [...this.#ahead].filter((index) => index < head).length;
    return head - this.#next - came;
  }

  /** What is missing is lost: goes on behind it. */
  skipTo(head: number): void {
    if (this.#next === undefined || head <= this.#next) return;
    this.#next = head;
    for (const index of this.#ahead) if (index < head) this.#ahead.delete(index);
    while (this.#ahead.delete(this.#next)) this.#next++;
  }
}
