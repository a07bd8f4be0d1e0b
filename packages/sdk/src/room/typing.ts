import type { Emitter } from '../events.ts';
import type { Peer } from './peer.ts';
import type { RoomEvents } from './types.ts';

const SENT_EVERY_MS = 2_000;
const SHOWN_MS = 6_000;

/** Who is writing at this moment; each forgotten by itself after a few seconds. */
export class Typing {
  readonly #events: Emitter<RoomEvents>;
  readonly #shown = new Map<Peer, ReturnType<typeof setTimeout>>();
  #sentAt = 0;

  constructor(events: Emitter<RoomEvents>) {
    this.#events = events;
  }

  /** Whether the others should be told again that we are writing. */
  due(): boolean {
    const now = Date.now();
    if (now - this.#sentAt < SENT_EVERY_MS) return false;
    this.#sentAt = now;
    return true;
  }

  show(peer: Peer): void {
    const shown = this.#shown.get(peer);
    clearTimeout(shown);
    this.#shown.set(
      peer,
      setTimeout(() => this.stop(peer), SHOWN_MS),
    );
    if (shown === undefined) this.#events.emit('typing', { member: peer, typing: true });
  }

  stop(peer: Peer): void {
    clearTimeout(this.#shown.get(peer));
    if (this.#shown.delete(peer)) this.#events.emit('typing', { member: peer, typing: false });
  }

  close(): void {
    for (const timer of this.#shown.values()) clearTimeout(timer);
    this.#shown.clear();
  }
}
