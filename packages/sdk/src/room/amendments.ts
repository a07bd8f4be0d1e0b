import { forgetOldest } from './forget-oldest.ts';
import type { Author, MessageEntry } from './message-entry.ts';

/** Members whose reactions to one message are kept; a room has at most 16 at a time. */
const MAX_REACTIONS = 64;

/** An edit, a removal or a reaction, and whose it is. */
export interface Amending {
  readonly by: Author;
  readonly index: number;
  readonly sentAt: number;
  readonly change:
    | { readonly kind: 'edit'; readonly text: string }
    | { readonly kind: 'remove' }
    | { readonly kind: 'reaction'; readonly emoji: string };
}

/**
 * Changes a message, if whoever asks may. Of several edits or reactions of one member the one sent last counts, in whatever order
 * they come; what was taken back stays so.
 *
 * @returns whether anything changed
 */
export function amend(entry: MessageEntry, { by, index, sentAt, change }: Amending): boolean {
  if (!entry.body) return false;
  if (change.kind === 'reaction') {
    if (index <= (entry.reactions.get(by)?.index ?? -1)) return false;
    entry.reactions.set(by, { emoji: change.emoji, index });
    forgetOldest(entry.reactions, MAX_REACTIONS);
    return true;
  }
  if (by !== entry.author) return false;
  if (change.kind === 'remove') {
    entry.body = undefined;
    entry.file = undefined;
    entry.edit = undefined;
    entry.reactions.clear();
    return true;
  }
  if (entry.body.kind !== 'text' || index <= (entry.edit?.index ?? entry.index)) return false;
  entry.edit = { text: change.text, index, at: sentAt };
  return true;
}

const MAX_WAITING = 512;
const MAX_PER_MEMBER = 64;

/**
 * Amendments that came before the message they are about: another member's message may still be on its way to us. Bounded; a member who
 * sends many pushes out its own.
 */
export class EarlyAmendments {
  #waiting: { readonly target: string; readonly amending: Amending }[] = [];

  add(target: string, amending: Amending): void {
    this.#waiting.push({ target, amending });
    const { by } = amending;
    const own = this.#waiting.filter((early) => early.amending.by === by);
    const surplus = own.length > MAX_PER_MEMBER ? own[0] : this.#waiting.length > MAX_WAITING ? this.#waiting[0] : undefined;
    if (surplus) this.#waiting.splice(this.#waiting.indexOf(surplus), 1);
  }

  /** Takes out what is about a message, in the order it came. */
  take(target: string): Amending[] {
    const taken = this.#waiting.filter((early) => early.target === target);
    if (taken.length > 0) this.#waiting = this.#waiting.filter((early) => early.target !== target);
    return taken.map(({ amending }) => amending);
  }

  clear(): void {
    this.#waiting = [];
  }
}
