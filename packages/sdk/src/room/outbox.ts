import { QsecError } from '../errors.ts';
import type { KeptOutgoing } from '../storage/kept.ts';
import type { Bytes } from '../wire/index.ts';
import { MAX_TIMER_MS } from './expiry.ts';
import { Shelf } from './shelf.ts';
import type { Delivery } from './types.ts';

/** A message of ours until everyone it is for confirmed it. */
interface Entry {
  /** The encoded content, for members who come back with new keys. */
  content: Bytes;
  /** The message it is, or changes. */
  about: string;
  /** Everyone it is for, as far as they are known: who is in neither of the next two confirmed it. */
  to: Set<string>;
  /** Who is waited for. */
  pending: Set<string>;
  /** Who went, or did not confirm it in time: whether it was read there nobody knows. It goes out again should they come back. */
  lost: string[];
  /** Seats whose owners are being agreed with: until when it is for them, too, milliseconds since 1970. */
  seats: Map<string, number>;
  /** Heartbeats of members that came while they had not confirmed it. */
  beats: Map<string, number>;
  /** When it is given up, milliseconds since 1970. */
  until: number;
  /** Ascends in the order they were sent. */
  order: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Told how it ended, once each. */
  waiting: ((delivery: Delivery) => void)[];
}

/** Whom a message is for: members by id, and seats with the time until which their owners get it. */
export interface Audience {
  members: readonly string[];
  seats: ReadonlyMap<string, number>;
}

/** Something to be sent to members that lack it. */
export interface Again {
  content: Bytes;
  members: readonly string[];
}

/** How a message got on beyond what the relay and receipts say. */
export type OutboxStatus = 'sent' | 'expired' | 'unaddressed';

/** A member that has not confirmed a message at so many of its heartbeats gets it again, and again after as many more. */
const PATIENCE = 2;
/** What is kept for members who are waited for; past that, nothing more is taken. And for those who are not: past that, the oldest goes. */
const MAX_MESSAGES = 4096;
const MAX_BYTES = 16_777_216;

/** How long a message that somebody has is kept for others with whom keys were being agreed when it was sent. */
const LATECOMER_MS = 60_000;

/** What a withdrawn message is about. */
const NOTHING = '';

/**
 * Keeps sent messages until their receipts are in, and says when they are. What nobody is waited for any more stays, within bounds, for
 * members who come back and for who sends it again. Members are named by their ids.
 */
export class Outbox {
  /** Those that somebody is waited for. */
  readonly #open = new Shelf<Entry>(({ content }) => content.length);
  readonly #dormant = new Shelf<Entry>(({ content }) => content.length);
  #changed: ((id: string, kept: KeptOutgoing | undefined) => void) | undefined;
  readonly #progressed: (id: string, status: OutboxStatus) => void;
  #order = 0;

  /**
   * @param changed told what to keep of a message, or that nothing is to be kept of it any more
   * @param progressed told that a message is waited for again, or no more
   */
  constructor(
    changed?: (id: string, kept: KeptOutgoing | undefined) => void,
    progressed: (id: string, status: OutboxStatus) => void = () => undefined,
  ) {
    this.#changed = changed;
    this.#progressed = progressed;
  }

  /**
   * @param lifetimeMs after which the message counts as expired for those who have not confirmed
   * @param about the message that this one changes
   * @param seats whose owners get it as well, until the given times
   */
  add(
    id: string,
    content: Bytes,
    to: readonly string[],
    lifetimeMs: number,
    about = id,
    seats: Audience['seats'] = new Map(),
  ): Promise<Delivery> {
    const entry: Entry = {
      content,
      about,
      to: new Set(to),
      pending: new Set(to),
      lost: [],
      seats: new Map(seats),
      beats: new Map(),
      until: Date.now() + lifetimeMs,
      order: this.#order++,
      timer: undefined,
      waiting: [],
    };
    // Who has not got a message, and may come back to it, needs what changes it as well.
    const main = this.#open.get(about) ?? this.#dormant.get(about);
    const absent = main?.lost.filter((member) => !entry.to.has(member)) ?? [];
    entry.lost.push(...absent);
    for (const member of absent) entry.to.add(member);
    const delivered = settling(entry);
    this.#place(id, entry, false);
    return delivered;
  }

  /** Goes on with a message of before a reload. */
  restore({ id, content, about, to, pending, lost, until, order }: KeptOutgoing): void {
    this.#order = Math.max(this.#order, order + 1);
    const entry: Entry = {
      content,
      about,
      to: new Set(to),
      pending: new Set(pending),
      lost: [...lost],
      // Handshakes do not outlive a reload.
      seats: new Map(),
      beats: new Map(),
      until,
      order,
      timer: undefined,
      // Who waited for it is not there any more.
      waiting: [],
    };
    // It is stored as it is.
    const changed = this.#changed;
    this.#changed = undefined;
    if (until <= Date.now()) this.#giveUp(id, entry, true);
    else this.#place(id, entry, false);
    this.#changed = changed;
  }

  /** @throws {QsecError} `RATE_LIMITED` while too much waits to be confirmed */
  assertRoom(): void {
    const { size, bytes } = this.#open;
    if (size < MAX_MESSAGES && bytes < MAX_BYTES) return;
    throw new QsecError(
      'RATE_LIMITED',
      `${size} messages wait for members who have not confirmed them: wait for some to be delivered, or for who is away to come back.`,
      { details: { waiting: size, bytes } },
    );
  }

  /** A member confirmed a message. Returns whether everyone it was sent to has it now. */
  confirm(id: string, member: string): boolean {
    const entry = this.#open.get(id) ?? this.#dormant.get(id);
    if (!entry) return false;
    if (!entry.pending.delete(member) && !find(entry, member)) return false;
    this.#place(id, entry, false);
    return entry.pending.size === 0 && entry.lost.length === 0;
  }

  /** Nobody waits for a member who is gone; but only a receipt says that it got a message, never the relay. */
  forgetMember(member: string): void {
    for (const [id, entry] of this.#open.all()) {
      const { pending, lost } = entry;
      if (!pending.delete(member)) continue;
      lost.push(member);
      this.#place(id, entry, false);
    }
  }

  /** A member is here again: what it has not confirmed is waited for again. */
  revive(member: string, lifetimeMs: number): void {
    for (const [id, entry] of [...this.#open.all(), ...this.#dormant.all()]) {
      if (find(entry, member)) this.#await(id, entry, [member], lifetimeMs);
    }
  }

  /** The owner of a seat became a member: what was sent while that was under way is for it. Returns the messages. */
  claim(seat: string, member: string, lifetimeMs: number): string[] {
    const claimed: string[] = [];
    for (const [id, entry] of this.#open.all()) {
      if (!entry.seats.delete(seat)) continue;
      // Somebody has it: for others who are still coming it is not kept as long.
      const soon = Date.now() + LATECOMER_MS;
      for (const [other, until] of entry.seats) entry.seats.set(other, Math.min(until, soon));
      if (lacks(entry, member)) {
        this.#await(id, entry, [member], lifetimeMs);
        claimed.push(id);
      } else this.#place(id, entry, false);
    }
    return claimed;
  }

  /** The owner of a seat will not become a member. */
  release(seat: string): void {
    for (const [id, entry] of this.#open.all()) if (entry.seats.delete(seat)) this.#place(id, entry, false);
  }

  /**
   * Sends a message, and what changes it, again to members who do not have it.
   * @returns what to send and to whom; undefined where its content is not held any more
   */
  retry(
    message: string,
    { members, seats }: Audience,
    lifetimeMs: number,
  ): { again: Again[]; delivered: Promise<Delivery> } | undefined {
    const main = this.#open.get(message) ?? this.#dormant.get(message);
    if (!main) return undefined;
    const delivered = settling(main);
    const parts = [...this.#open.all(), ...this.#dormant.all()].filter(([, { about }]) => about === message);
    const again = parts
      .sort(([, a], [, b]) => a.order - b.order)
      .map(([id, entry]): Again => {
        const lacking = members.filter((member) => lacks(entry, member));
        for (const [seat, until] of seats) entry.seats.set(seat, until);
        this.#await(id, entry, lacking, lifetimeMs);
        return { content: entry.content, members: lacking };
      });
    return { again, delivered };
  }

  /**
   * A message was taken back or disappeared: what `blank` makes of it, and of what changes it, is sent again in its place. For whoever
   * waits it counts as expired. Returns what is sent now.
   */
  withdraw(message: string, blank: (content: Bytes) => Bytes): { id: string; content: Bytes; to: readonly string[] }[] {
    const withdrawn = [...this.#open.all(), ...this.#dormant.all()].filter(([, { about }]) => about === message);
    return withdrawn.map(([id, entry]) => {
      const shelf = this.#shelfOf(id);
      shelf.take(id);
      entry.content = blank(entry.content);
      shelf.put(id, entry);
      entry.about = NOTHING;
      settle(entry, true);
      this.#keep(id, entry);
      return { id, content: entry.content, to: [...entry.to] };
    });
  }

  /** What a member has not confirmed yet, oldest first. */
  unconfirmed(member: string): Bytes[] {
    return this.#inOrder()
      .filter(({ pending }) => pending.has(member))
      .map(({ content }) => content);
  }

  /** A heartbeat of a member came, who thus is there. What it should have confirmed by now and has not, oldest first. */
  overdue(member: string): Bytes[] {
    const overdue: Bytes[] = [];
    for (const { pending, beats, content } of this.#inOrder()) {
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
    for (const [, entry] of this.#open.all()) {
      clearTimeout(entry.timer);
      settle(entry, true);
    }
    this.#open.clear();
    this.#dormant.clear();
  }

  /** What somebody is waited for, as it was sent: some of it may have been put aside in between. */
  #inOrder(): Entry[] {
    const open = this.#open.all().map(([, entry]) => entry);
    return open.sort((a, b) => a.order - b.order);
  }

  /** Waits for members from now on, each of them with the same patience. */
  #await(id: string, entry: Entry, members: readonly string[], lifetimeMs: number): void {
    for (const member of members) {
      find(entry, member);
      entry.to.add(member);
      entry.pending.add(member);
    }
    entry.until = Date.now() + lifetimeMs;
    clearTimeout(entry.timer);
    entry.timer = undefined;
    this.#place(id, entry, false);
    if (entry.pending.size > 0) this.#progressed(id, 'sent');
  }

  /** Puts an entry where it belongs by whom it waits for. */
  #place(id: string, entry: Entry, expired: boolean): void {
    const { to, pending, lost, seats } = entry;
    if (pending.size > 0 || seats.size > 0) {
      this.#dormant.take(id);
      this.#open.put(id, entry);
      this.#arm(id, entry);
      this.#keep(id, entry);
      return;
    }
    clearTimeout(entry.timer);
    entry.timer = undefined;
    this.#open.take(id);
    this.#dormant.take(id);
    settle(entry, expired);
    if (to.size > 0 && lost.length === 0) {
      this.#changed?.(id, undefined);
      return;
    }
    this.#dormant.put(id, entry);
    this.#keep(id, entry);
    if (lost.length > 0 || (expired && to.size === 0)) this.#progressed(id, 'expired');
    else if (to.size === 0) this.#progressed(id, 'unaddressed');
    for (const oldest of this.#dormant.trim(MAX_MESSAGES, MAX_BYTES)) this.#changed?.(oldest, undefined);
  }

  /** Nobody is waited for any more. */
  #giveUp(id: string, entry: Entry, expired: boolean): void {
    entry.lost.push(...entry.pending);
    entry.pending.clear();
    entry.seats.clear();
    this.#place(id, entry, expired);
  }

  #arm(id: string, entry: Entry): void {
    const left = Math.min(entry.until, ...entry.seats.values()) - Date.now();
    entry.timer ??= setTimeout(
      () => {
        entry.timer = undefined;
        const now = Date.now();
        if (now >= entry.until) return this.#giveUp(id, entry, true);
        // A timer takes 24.8 days at most: it may be too soon for anything.
        for (const [seat, until] of entry.seats) if (until <= now) entry.seats.delete(seat);
        return this.#place(id, entry, false);
      },
      Math.min(Math.max(0, left), MAX_TIMER_MS),
    );
    // In Node a message that waits for its receipt must not keep a finished script alive.
    (entry.timer as { unref?: () => void }).unref?.();
  }

  #shelfOf(id: string): Shelf<Entry> {
    return this.#open.get(id) ? this.#open : this.#dormant;
  }

  #keep(id: string, { content, about, to, pending, lost, until, order }: Entry): void {
    this.#changed?.(id, {
      id,
      content,
      about,
      to: [...to],
      pending: [...pending],
      lost: [...lost],
      until,
      order,
    });
  }
}

/** Whether a member has not confirmed a message: it may be one that the message was not for so far. */
const lacks = ({ to, pending, lost }: Entry, member: string): boolean =>
  !to.has(member) || pending.has(member) || lost.includes(member);

/** Takes a member out of those who were lost. Returns whether it was one. */
function find({ lost }: Entry, member: string): boolean {
  const at = lost.indexOf(member);
  if (at >= 0) lost.splice(at, 1);
  return at >= 0;
}

/** How a message ends, this time. */
const settling = (entry: Entry): Promise<Delivery> => new Promise((resolve) => entry.waiting.push(resolve));

function settle({ to, pending, lost, waiting }: Entry, expired: boolean): void {
  for (const resolve of waiting.splice(0)) resolve({ to: [...to], pending: [...pending, ...lost], expired });
}
