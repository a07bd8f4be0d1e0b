import type { Message } from './types.ts';

/** Messages kept for `history()`; older ones are dropped. */
const LIMIT = 10_000;

/** The messages of this session in the order they were first seen. */
export class MessageLog {
  readonly #messages = new Map<string, Message>();

  add(message: Message): void {
    this.#messages.set(message.id, message);
    if (this.#messages.size <= LIMIT) return;
    const oldest = this.#messages.keys().next();
    if (!oldest.done) this.#messages.delete(oldest.value);
  }

  get(id: string): Message | undefined {
    return this.#messages.get(id);
  }

  /** Puts a newer version in the place of a message that is still kept. */
  replace(message: Message): Message {
    if (this.#messages.has(message.id)) this.#messages.set(message.id, message);
    return message;
  }

  all(): readonly Message[] {
    return [...this.#messages.values()];
  }

  clear(): void {
    this.#messages.clear();
  }
}
