import type { Bytes } from '../wire/index.ts';
import type { Peer } from './peer.ts';

/** Receipts of messages that come together travel together. */
const WINDOW_MS = 20;
const MAX_PER_FRAME = 256;

/** Collects what is to be confirmed to each author. */
export class Receipts {
  readonly #due = new Map<Peer, Bytes[]>();
  readonly #send: (author: Peer, ids: Bytes[]) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (author: Peer, ids: Bytes[]) => void) {
    this.#send = send;
  }

  add(author: Peer, id: Bytes): void {
    this.#due.set(author, [...(this.#due.get(author) ?? []), id]);
    this.#timer ??= setTimeout(() => this.#flush(), WINDOW_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#due.clear();
  }

  #flush(): void {
    this.#timer = undefined;
    for (const [author, ids] of this.#due) {
      for (let i = 0; i < ids.length; i += MAX_PER_FRAME) this.#send(author, ids.slice(i, i + MAX_PER_FRAME));
    }
    this.#due.clear();
  }
}
