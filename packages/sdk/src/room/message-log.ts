import type { MessageEntry } from './message-entry.ts';
import type { Message } from './types.ts';

/** Messages kept for `history()`; older ones are dropped. */
const LIMIT = 10_000;

/** The messages of a room in the order they were first seen; of one author in the order they were written. */
export class MessageLog {
  #entries = new Map<string, MessageEntry>();
  /** Number of the last message of each author. */
  readonly #latest = new Map<string, number>();
  readonly #shown = new Map<string, Message>();
  readonly #present: (entry: MessageEntry) => Message;

  constructor(present: (entry: MessageEntry) => Message) {
    this.#present = present;
  }

  /**
   * Adds a message behind all others, or in front of those that its author wrote later and that nobody waited with any more.
   * Returns the one that had to make room for it, if one had to.
   */
  add(entry: MessageEntry): MessageEntry | undefined {
    const latest = this.#latest.get(entry.author) ?? -1;
    if (entry.index < latest) this.#insert(entry);
    else {
      this.#entries.set(entry.id, entry);
      this.#latest.set(entry.author, entry.index);
    }
    this.#shown.delete(entry.id);
    if (this.#entries.size <= LIMIT) return undefined;
    const [oldest] = this.#entries.values();
    if (oldest) this.delete(oldest.id);
    return oldest;
  }

  get(id: string): MessageEntry | undefined {
    return this.#entries.get(id);
  }

  delete(id: string): void {
    this.#entries.delete(id);
    this.#shown.delete(id);
  }

  entries(): Iterable<MessageEntry> {
    return this.#entries.values();
  }

  /** What the application sees of a message that is kept. */
  show(entry: MessageEntry): Message {
    const shown = this.#shown.get(entry.id) ?? this.#present(entry);
    if (this.#entries.has(entry.id)) this.#shown.set(entry.id, shown);
    return shown;
  }

  /** An entry, or a member it names, is not as it was. */
  changed(entry: MessageEntry): Message {
    this.#shown.delete(entry.id);
    return this.show(entry);
  }

  /** Somebody is named by another object from now on. */
  changedMember(member: string): void {
    for (const entry of this.#entries.values()) {
      if (entry.author === member || entry.reactions.has(member)) this.#shown.delete(entry.id);
    }
  }

  all(): readonly Message[] {
    return Array.from(this.#entries.values(), (entry) => this.show(entry));
  }

  #insert(entry: MessageEntry): void {
    const entries = [...this.#entries.values()];
    const at = entries.findIndex(({ author, index }) => author === entry.author && index > entry.index);
    const [before, behind] = [entries[at - 1], entries[at]];
    if (behind) entry.order = ((before?.order ?? behind.order - 2) + behind.order) / 2;
    entries.splice(at < 0 ? entries.length : at, 0, entry);
    this.#entries = new Map(entries.map((each) => [each.id, each]));
  }
}
