/** Messages held for one that is missing in front of them: how many, how large together, and for how long. */
const MAX_HELD = 256;
const MAX_HELD_BYTES = 1_048_576;
const PATIENCE_MS = 30_000;
const TICK_MS = 3_000;

interface Held {
  index: number;
  id: string;
  bytes: number;
  hand(): void;
}

export interface InOrderOptions {
  /** Number of the first message of this author that has not come; undefined while that is not known. */
  next(): number | undefined;
  /** Whether what is missing could come now: time in which it could not does not count. */
  reachable(): boolean;
}

/**
 * Hands the messages of one author over in the order the author wrote them. One that a relay let overtake another waits for it, within
 * bounds: what is missing for good must not silence who comes behind.
 */
export class InOrder {
  readonly #options: InOrderOptions;
  /** By rising number. */
  #held: Held[] = [];
  #bytes = 0;
  /** Nobody waits any more for what is below this. */
  #givenUp = 0;
  #waitedMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: InOrderOptions) {
    this.#options = options;
  }

  /** Whether something waits. */
  get holding(): boolean {
    return this.#held.length > 0;
  }

  has(id: string): boolean {
    return this.#held.some((held) => held.id === id);
  }

  /** Takes a message up; `hand` is called when its turn has come. */
  add(index: number, id: string, bytes: number, hand: () => void): void {
    this.#held.push({ index, id, bytes, hand });
    this.#held.sort((a, b) => a.index - b.index);
    this.#bytes += bytes;
    this.release();
    while (this.#held.length > MAX_HELD || this.#bytes > MAX_HELD_BYTES) this.#giveUp();
  }

  /** Hands over what nothing is missing in front of any more. */
  release(): void {
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      if (first.index >= Math.max(this.#options.next() ?? 0, this.#givenUp)) break;
      this.#held.shift();
      this.#bytes -= first.bytes;
      this.#givenUp = Math.max(this.#givenUp, first.index + 1);
      this.#waitedMs = 0;
      first.hand();
    }
    if (this.holding) this.#wait();
    else this.#stop();
  }

  /** Hands over everything: its author is gone, and what is missing will not come. */
  flush(): void {
    while (this.holding) this.#giveUp();
  }

  close(): void {
    this.#stop();
    this.#held = [];
  }

  /** Does without what is missing in front of the first. */
  #giveUp(): void {
    const [first] = this.#held;
    if (first) this.#givenUp = Math.max(this.#givenUp, first.index + 1);
    this.release();
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#options.reachable()) this.#waitedMs += TICK_MS;
      if (this.#waitedMs >= PATIENCE_MS) this.#giveUp();
      else this.#wait();
    }, TICK_MS);
    // In Node a message that waits must not keep a finished script alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
