import type { Emitter } from '../events.ts';
import { type Amending, amend, EarlyAmendments } from './amendments.ts';
import type { Directory } from './directory.ts';
import { Expiry } from './expiry.ts';
import { type MessageEntry, present } from './message-entry.ts';
import { MessageLog } from './message-log.ts';
import type { KnownMember } from './remembered-member.ts';
import type { Message, MessageStatus, RoomEvents } from './types.ts';

/** How far a message of ours got; it only gets further, */
const PROGRESS: readonly MessageStatus[] = ['sending', 'sent', 'delivered', 'read'];
/** unless it stops for one of these reasons: from these states on it may get further again. */
const STOPS: Partial<Record<MessageStatus, readonly MessageStatus[]>> = {
  failed: ['sending'],
  expired: ['sending', 'sent', 'failed', 'unaddressed'],
  unaddressed: ['sending', 'sent', 'failed'],
};

export interface MessagesOptions {
  events: Emitter<RoomEvents>;
  /** Everyone a message may name. */
  directory: Directory;
  /** A message is new, or not as it was. */
  onChanged(entry: MessageEntry): void;
  /** A message had to make room for newer ones. */
  onDropped(id: string): void;
  /** A message disappeared: what else is kept of it has to go, too. */
  onExpired(id: string): void;
}

/** What was said in the room, as it stands: with edits, reactions, removals, and without what disappeared. */
export class Messages {
  readonly #options: MessagesOptions;
  readonly #log = new MessageLog((entry) => this.#present(entry));
  readonly #early = new EarlyAmendments();
  readonly #expiry = new Expiry((id) => this.#expire(id));
  #order = 0;

  constructor(options: MessagesOptions) {
    this.#options = options;
  }

  history(): readonly Message[] {
    return this.#log.all();
  }

  get(id: string): MessageEntry | undefined {
    return this.#log.get(id);
  }

  /** Whether a message of this member's is kept. */
  names(member: string): boolean {
    return this.#log.names(member);
  }

  /** A member is named by another object from now on. */
  renamed(member: KnownMember): void {
    this.#log.changedMember(member.id);
  }

  /** Takes up a message of before a reload. One whose time was up meanwhile is gone without a word. */
  restore(entry: MessageEntry): void {
    this.#order = Math.max(this.#order, entry.order + 1);
    if (entry.expiresAt !== undefined && entry.expiresAt <= Date.now()) this.#options.onExpired(entry.id);
    else this.#insert(entry);
  }

  /**
   * Takes a message up, with what came before it and changes it.
   * @returns what the application sees; undefined for a message that was taken back before anyone saw it
   */
  add(entry: MessageEntry): Message | undefined {
    for (const amending of this.#early.take(entry.id)) amend(entry, amending);
    if (!entry.body) return undefined;
    entry.order = this.#order++;
    this.#insert(entry);
    this.#options.onChanged(entry);
    return this.#log.show(entry);
  }

  /** Changes a message, or keeps the change until the message comes. */
  amend(target: string, amending: Amending): void {
    const entry = this.#log.get(target);
    if (!entry) this.#early.add(target, amending);
    else if (amend(entry, amending)) {
      if (!entry.body) this.#expiry.delete(target);
      this.#changed(entry);
    }
  }

  /** A message of ours got so far. News that come late, or about messages no longer kept, change nothing. */
  progress(id: string, status: Exclude<MessageStatus, 'received'>): void {
    const entry = this.#log.get(id);
    if (entry?.author !== 'me') return;
    const further = PROGRESS.indexOf(status) > PROGRESS.indexOf(entry.status);
    if (!(STOPS[status]?.includes(entry.status) ?? further)) return;
    entry.status = status;
    this.#changed(entry);
  }

  /** A message of ours is for a member, too, who was not there when it was sent. */
  addressed(id: string, member: string): void {
    const entry = this.#log.get(id);
    if (entry?.author !== 'me' || entry.status === 'read' || entry.unread.has(member)) return;
    entry.unread.add(member);
    this.#options.onChanged(entry);
  }

  /** A member says that a person there read a message of ours. */
  readBy(member: string, id: string): void {
    const entry = this.#log.get(id);
    if (!entry?.unread.delete(member)) return;
    entry.someoneRead = true;
    this.#checkRead(entry);
  }

  /** Nobody waits for a member who is gone. */
  forget(member: string): void {
    for (const entry of this.#log.entries()) if (entry.unread.delete(member)) this.#checkRead(entry);
  }

  /** A person here read a message of somebody else's; returns whether that is new. */
  markRead(entry: MessageEntry): boolean {
    if (entry.status !== 'received') return false;
    entry.status = 'read';
    this.#changed(entry);
    return true;
  }

  /** The last messages of a member that a person here read, newest last. */
  lastRead(member: string, limit: number): string[] {
    const read = [...this.#log.entries()].filter(({ author, status }) => author === member && status === 'read');
    return read.slice(-limit).map(({ id }) => id);
  }

  close(): void {
    this.#expiry.close();
    this.#early.clear();
  }

  #checkRead(entry: MessageEntry): void {
    if (entry.unread.size === 0 && entry.someoneRead) this.progress(entry.id, 'read');
  }

  #expire(id: string): void {
    const entry = this.#log.get(id);
    if (!entry) return;
    this.#log.delete(id);
    entry.body = entry.file = entry.edit = undefined;
    entry.reactions.clear();
    this.#options.onExpired(id);
    this.#options.events.emit('update', { ...this.#present(entry), gone: 'expired' });
  }

  #insert(entry: MessageEntry): void {
    this.#log.add(entry);
    if (entry.expiresAt !== undefined && entry.body) this.#expiry.set(entry.id, entry.expiresAt);
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const { id } of this.#log.trim()) {
      this.#expiry.delete(id);
      this.#options.onDropped(id);
    }
  }

  #present(entry: MessageEntry): Message {
    return present(entry, this.#options.directory);
  }

  #changed(entry: MessageEntry): void {
    this.#options.onChanged(entry);
    this.#options.events.emit('update', this.#log.changed(entry));
    this.#makeRoom();
  }
}
