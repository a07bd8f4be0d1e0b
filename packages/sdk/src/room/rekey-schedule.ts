/** When the pairs of a room are rekeyed by themselves: after so much talk, not while nobody says anything. */

const LIGHT_MESSAGES = 50;
const LIGHT_ACTIVE_MS = 5 * 60_000;
const FULL_MS = 30 * 60_000;

export class RekeySchedule {
  #messages = 0;
  #lightSince = Date.now();
  #fullSince = Date.now();

  /** Counts a message of either side. Returns the rekeying that is due now, if any. */
  message(now = Date.now()): 'light' | 'full' | undefined {
    this.#messages++;
    if (now - this.#fullSince >= FULL_MS) return 'full';
    return this.#messages >= LIGHT_MESSAGES || now - this.#lightSince >= LIGHT_ACTIVE_MS ? 'light' : undefined;
  }

  /** A rekeying was begun, by whomever. */
  restart(kind: 'light' | 'full', now = Date.now()): void {
    this.#messages = 0;
    this.#lightSince = now;
    if (kind === 'full') this.#fullSince = now;
  }
}
