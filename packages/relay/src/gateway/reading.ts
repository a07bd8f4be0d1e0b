/** Reasons for which a connection is not read from at the moment. It is read again when none is left. */
export type PauseReason =
  /** Too fast. */
  | 'rate'
  /** Does not read what it is sent. */
  | 'stuck'
  /** A member of its room is far behind. */
  | 'room';

export class Reading {
  readonly #reasons = new Set<PauseReason>();
  readonly #set: (reading: boolean) => void;

  constructor(set: (reading: boolean) => void) {
    this.#set = set;
  }

  #ended = false;

  stop(reason: PauseReason): void {
    if (this.#ended) return;
    if (this.#reasons.size === 0) this.#set(false);
    this.#reasons.add(reason);
  }

  goOn(reason: PauseReason): void {
    if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#set(true);
  }

  /** Reads from now on, whatever the reasons. */
  end(): void {
    this.#ended = true;
    if (this.#reasons.size > 0) this.#set(true);
    this.#reasons.clear();
  }
}
