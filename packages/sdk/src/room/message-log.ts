import type { MessageEntry } from './message-entry.ts';
import type { Message } from './types.ts';

/** What is kept for `history()`: messages, and bytes of what they say. Past that, the oldest are dropped. */
const MAX_MESSAGES = 10_000;
const MAX_BYTES = 64 * 2 ** 20;
/** What a message takes besides what it says, about. */
const OVERHEAD_BYTES = 1_024;

/** The messages of a room in the order they were first seen; of one author in the order they were written. */
export class MessageLog {
  #entries = new Map<string, MessageEntry>();
  /** Of each author whose messages are kept: how many, and the number of the last one. */
  readonly #authors = new Map<string, { count: number; latest: number }>();
  readonly #sizes = new Map<string, number>();
  #bytes = 0;
  readonly #shown = new Map<string, Message>();
  readonly #present: (entry: MessageEntry) => Message;

  constructor(present: (entry: MessageEntry) => Message) {
    this.#present = present;
  }

  /** Adds a message behind all others, or in front of those that its author wrote later and that nobody waited with any more. */
  add(entry: MessageEntry): void {
    this.delete(entry.id);
    const { count, latest } = this.#authors.get(entry.author) ?? { count: 0, latest: -1 };
    if (entry.index < latest) this.#insert(entry);
    else this.#entries.set(entry.id, entry);
    this.#authors.set(entry.author, { count: count + 1, latest: Math.max(latest, entry.index) });
    this.#measure(entry);
  }

  /** Drops the oldest messages until the others are within bounds. Returns those that were dropped. */
  trim(): MessageEntry[] {
    const dropped: MessageEntry[] = [];
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= MAX_MESSAGES && this.#bytes <= MAX_BYTES) break;
      this.delete(oldest.id);
      dropped.push(oldest);
    }
    return dropped;
  }

  /** Whether a message of this author's is kept. */
  names(author: string): boolean {
    return this.#authors.has(author);
  }

  get(id: string): MessageEntry | undefined {
    return this.#entries.get(id);
  }

  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#shown.delete(id);
    this.#bytes -= this.#sizes.get(id) ?? 0;
    this.#sizes.delete(id);
    const author = this.#authors.get(entry.author);
    if (author && --author.count === 0) this.#authors.delete(entry.author);
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
    if (this.#entries.has(entry.id)) this.#measure(entry);
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

  #measure(entry: MessageEntry): void {
    const size = sizeOf(entry);
    this.#bytes += size - (this.#sizes.get(entry.id) ?? 0);
    this.#sizes.set(entry.id, size);
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

/** Text takes two bytes a character at most. */
function sizeOf({ body, edit }: MessageEntry): number {
  const text = 2 * ((body?.kind === 'text' ? body.text.length : 0) + (edit?.text.length ?? 0));
  const picture = body && body.kind !== 'text' ? body.attachment.thumbnail.length : 0;
  return OVERHEAD_BYTES + text + picture;
}
