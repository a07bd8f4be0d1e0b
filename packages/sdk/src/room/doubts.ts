import { MAX_CAPACITY } from '../wire/index.ts';

/** Nothing came under keys that we share by then: we shake hands again. */
const PATIENCE_MS = 3_000;
/** Anybody can send what looks like a frame under other keys: a seat is not doubted again for so long. */
const PAUSE_MS = 30_000;
/** Those of a full room, and as many that a relay may invent. */
const MAX_SEATS = 2 * MAX_CAPACITY;

/**
 * Seats whose owners seem to share keys with us that we have not: the last word of a handshake was lost, came after the room had moved, or two
 * handshakes ended here and there in another order. Who has them does not know it, so who has not begins again.
 */
export class Doubts {
  readonly #again: (seat: string) => void;
  readonly #timers = new Map<string, { timer: ReturnType<typeof setTimeout>; acted: boolean }>();

  constructor(again: (seat: string) => void) {
    this.#again = again;
  }

  /** Something came under keys that we have not. */
  raise(seat: string): void {
    if (this.#timers.has(seat) || this.#timers.size >= MAX_SEATS) return;
    this.#timers.set(seat, { timer: setTimeout(() => this.#act(seat), PATIENCE_MS), acted: false });
  }

  /** Keys were agreed, or something opened under those we have. */
  settle(seat: string): void {
    const doubt = this.#timers.get(seat);
    if (!doubt || doubt.acted) return;
    clearTimeout(doubt.timer);
    this.#timers.delete(seat);
  }

  close(): void {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #act(seat: string): void {
    this.#timers.set(seat, { timer: setTimeout(() => this.#timers.delete(seat), PAUSE_MS), acted: true });
    this.#again(seat);
  }
}
