import type { Bytes } from '../wire/index.ts';
import type { Delivery } from './types.ts';

/** A message of ours until everyone who was there confirmed it. */
interface Entry {
  /** The encoded content, for members who come back with new keys. */
  content: Bytes;
  to: readonly string[];
  /** Who may still confirm it. */
  pending: Set<string>;
  /** Who is gone and did not: whether it was read there nobody knows. */
  lost: string[];
  timer: ReturnType<typeof setTimeout> | undefined;
  settle(delivery: Delivery): void;
}

/** Keeps sent messages until their receipts are in, and says when they are. Members are named by their ids. */
export class Outbox {
  readonly #entries = new Map<string, Entry>();

  /** @param lifetimeMs after which the message counts as expired for those who have not confirmed */
  add(id: string, content: Bytes, to: readonly string[], lifetimeMs: number): Promise<Delivery> {
    if (to.length === 0) return Promise.resolve({ to, pending: [], expired: false });
    return new Promise((settle) => {
      const timer = setTimeout(() => this.#settle(id, true), lifetimeMs);
      // In Node a message that waits for its receipt must not keep a finished script alive.
      (timer as { unref?: () => void }).unref?.();
      this.#entries.set(id, { content, to, pending: new Set(to), lost: [], timer, settle });
    });
  }

  /** A member confirmed a message. Returns whether everyone it was sent to has it now. */
  confirm(id: string, member: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry?.pending.delete(member) || entry.pending.size > 0) return false;
    this.#settle(id, false);
    return entry.lost.length === 0;
  }

  /** Nobody waits for a member who is gone; but only a receipt says that it got a message, never the relay. */
  forgetMember(member: string): void {
    for (const [id, { pending, lost }] of [...this.#entries]) {
      if (!pending.delete(member)) continue;
      lost.push(member);
      if (pending.size === 0) this.#settle(id, false);
    }
  }

  /** What a member has not confirmed yet, oldest first. */
  unconfirmed(member: string): Bytes[] {
    return [...this.#entries.values()].filter(({ pending }) => pending.has(member)).map(({ content }) => content);
  }

  /** Settles everything as it stands. */
  close(): void {
    for (const id of [...this.#entries.keys()]) this.#settle(id, true);
  }

  #settle(id: string, expired: boolean): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    clearTimeout(entry.timer);
    entry.settle({ to: entry.to, pending: [...entry.pending, ...entry.lost], expired });
  }
}
