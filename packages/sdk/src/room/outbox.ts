import { QsecError } from '../errors.ts';
import type { KeptOutgoing } from '../storage/kept.ts';
import type { Bytes } from '../wire/index.ts';
import { MAX_TIMER_MS } from './expiry.ts';
import type { Delivery } from './types.ts';

/** A message of ours until everyone who was there confirmed it. */
interface Entry {
  /** The encoded content, for members who come back with new keys. */
  content: Bytes;
  /** The message it is, or changes. */
  about: string;
  to: readonly string[];
  /** Who may still confirm it. */
  pending: Set<string>;
  /** Who is gone and did not: whether it was read there nobody knows. */
  lost: string[];
  /** Heartbeats of members that came while they had not confirmed it. */
  beats: Map<string, number>;
  /** When it is given up, milliseconds since 1970. */
  until: number;
  /** Ascends in the order they were sent. */
  order: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  settle(delivery: Delivery): void;
}

/** A member that has not confirmed a message at so many of its heartbeats gets it again, and again after as many more. */
const PATIENCE = 2;
/** What is kept for members who do not confirm it. Past that, nothing more is taken. */
const MAX_MESSAGES = 4096;
const MAX_BYTES = 16_777_216;

/** What a withdrawn message is about. */
const NOTHING = '';

/** Keeps sent messages until their receipts are in, and says when they are. Members are named by their ids. */
export class Outbox {
  readonly #entries = new Map<string, Entry>();
  #changed: ((id: string, kept: KeptOutgoing | undefined) => void) | undefined;
  #order = 0;
  #bytes = 0;

  /** @param changed told what to keep of a message, or that nothing is to be kept of it any more */
  constructor(changed?: (id: string, kept: KeptOutgoing | undefined) => void) {
    this.#changed = changed;
  }

  /**
   * @param lifetimeMs after which the message counts as expired for those who have not confirmed
   * @param about the message that this one changes
   */
  add(id: string, content: Bytes, to: readonly string[], lifetimeMs: number, about = id): Promise<Delivery> {
    if (to.length === 0) return Promise.resolve({ to, pending: [], expired: false });
    const until = Date.now() + lifetimeMs;
    return new Promise((settle) => {
      this.#begin(id, {
        content,
        about,
        to,
        pending: new Set(to),
        lost: [],
        beats: new Map(),
        until,
        order: this.#order++,
        timer: undefined,
        settle,
      });
      this.#keep(id);
    });
  }

  /** Goes on with a message of before a reload. */
  restore({ id, content, about, to, pending, lost, until, order }: KeptOutgoing): void {
    this.#order = Math.max(this.#order, order + 1);
    // Who waited for it is not there any more.
    const settle = () => undefined;
    this.#begin(id, {
      content,
      about,
      to,
      pending: new Set(pending),
      lost,
      beats: new Map(),
      until,
      order,
      timer: undefined,
      settle,
    });
  }

  /** @throws {QsecError} `RATE_LIMITED` while too much waits to be confirmed */
  assertRoom(): void {
    if (this.#entries.size < MAX_MESSAGES && this.#bytes < MAX_BYTES) return;
    throw new QsecError(
      'RATE_LIMITED',
      `${this.#entries.size} messages wait for members who have not confirmed them: wait for some to be delivered, or for who is away to come back.`,
      { details: { waiting: this.#entries.size, bytes: this.#bytes } },
    );
  }

  /** A member confirmed a message. Returns whether everyone it was sent to has it now. */
  confirm(id: string, member: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry?.pending.delete(member)) return false;
    if (entry.pending.size > 0) {
      this.#keep(id);
      return false;
    }
    this.#settle(id, false);
    return entry.lost.length === 0;
  }

  /** Nobody waits for a member who is gone; but only a receipt says that it got a message, never the relay. */
  forgetMember(member: string): void {
    for (const [id, { pending, lost }] of [...this.#entries]) {
      if (!pending.delete(member)) continue;
      lost.push(member);
      if (pending.size === 0) this.#settle(id, false);
      else this.#keep(id);
    }
  }

  /**
   * A message was taken back or disappeared: what `blank` makes of it, and of what changes it, is sent again in its place. For whoever
   * waits it counts as expired. Returns what is sent now.
   */
  withdraw(message: string, blank: (content: Bytes) => Bytes): { id: string; content: Bytes; to: readonly string[] }[] {
    const withdrawn = [...this.#entries].filter(([, { about }]) => about === message);
    return withdrawn.map(([id, entry]) => {
      this.#bytes -= entry.content.length;
      entry.content = blank(entry.content);
      this.#bytes += entry.content.length;
      entry.about = NOTHING;
      entry.settle({ to: entry.to, pending: [...entry.pending, ...entry.lost], expired: true });
      this.#keep(id);
      return { id, content: entry.content, to: entry.to };
    });
  }

  /** What a member has not confirmed yet, oldest first. */
  unconfirmed(member: string): Bytes[] {
    return [...this.#entries.values()].filter(({ pending }) => pending.has(member)).map(({ content }) => content);
  }

  /** A heartbeat of a member came, who thus is there. What it should have confirmed by now and has not, oldest first. */
  overdue(member: string): Bytes[] {
    const overdue: Bytes[] = [];
    for (const { pending, beats, content } of this.#entries.values()) {
      if (!pending.has(member)) continue;
      const count = (beats.get(member) ?? 0) + 1;
      beats.set(member, count);
      if (count % PATIENCE === 0) overdue.push(content);
    }
    return overdue;
  }

  /** Settles everything as it stands; what is kept stays. */
  close(): void {
    this.#changed = undefined;
    for (const id of [...this.#entries.keys()]) this.#settle(id, true);
  }

  #begin(id: string, entry: Entry): void {
    entry.timer = setTimeout(() => this.#settle(id, true), Math.min(Math.max(0, entry.until - Date.now()), MAX_TIMER_MS));
    // In Node a message that waits for its receipt must not keep a finished script alive.
    (entry.timer as { unref?: () => void }).unref?.();
    this.#entries.set(id, entry);
    this.#bytes += entry.content.length;
  }

  #keep(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry || !this.#changed) return;
    const { content, about, to, pending, lost, until, order } = entry;
    this.#changed(id, { id, content, about, to: [...to], pending: [...pending], lost, until, order });
  }

  #settle(id: string, expired: boolean): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#bytes -= entry.content.length;
    this.#changed?.(id, undefined);
    clearTimeout(entry.timer);
    entry.settle({ to: entry.to, pending: [...entry.pending, ...entry.lost], expired });
  }
}
