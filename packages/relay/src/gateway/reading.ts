/** Reasons for which a connection is not read from at the moment. It is read again when none is left. */
export type PauseReason =
  /** Too fast. */
  | 'rate'
  /** Does not read what it is sent. */
  | 'stuck'
  /** A member of its room is far behind. */
  | 'room';

/** One bit each: most connections never have a reason, and there are many of them. */
const BIT: Record<PauseReason, number> = { rate: 1, stuck: 2, room: 4 };

export class Reading {
  readonly #set: (reading: boolean) => void;
  #reasons = 0;
  #ended = false;

  constructor(set: (reading: boolean) => void) {
    this.#set = set;
  }

  stop(reason: PauseReason): void {
    if (this.#ended) return;
    if (this.#reasons === 0) this.#set(false);
    this.#reasons |= BIT[reason];
  }

  goOn(reason: PauseReason): void {
    const before = this.#reasons;
    this.#reasons &= ~BIT[reason];
    if (before !== 0 && this.#reasons === 0) this.#set(true);
  }

  /** Reads from now on, whatever the reasons. */
  end(): void {
    this.#ended = true;
    if (this.#reasons !== 0) this.#set(true);
    this.#reasons = 0;
  }
}
