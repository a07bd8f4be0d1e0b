import type { SeatPresence } from '@qsec2/sdk/wire';
import { EncodedBatch } from '../frames/encoded-batch.ts';
import { type Frame, joinItems } from '../frames/item.ts';
import type { Metrics } from '../metrics.ts';
import type { Store, Watcher } from '../store/store.ts';
import { batchFor, type Member } from './member.ts';

/** Bytes a member may be behind before those who send are asked to slow down, and before nothing is taken from them. */
const SLOW_BYTES = 4 * 1024 * 1024;
const STOP_BYTES = 12 * 1024 * 1024;
const SLOW_PAUSE_MS = 500;

export interface RoomHooks {
  /** The room has frames to send. */
  ready(room: HubRoom): void;
  /** Another connection has the member's seat now. */
  superseded(member: Member): void;
  /** Nobody has it: other relays took this one for dead, with everyone it had. */
  takenForDead(member: Member): void;
  ended(room: HubRoom, reason: 'ended' | 'expired'): void;
  report(error: unknown): void;
}

/** A room that has members at this relay: fans out what the store committed, and tells who is there. */
export class HubRoom implements Watcher {
  readonly key: string;
  readonly members = new Set<Member>();
  /** Members about to join: the room is not closed meanwhile. */
  joining = 0;
  readonly metrics: Metrics;
  readonly #store: Store;
  readonly #hooks: RoomHooks;
  /** Last place fanned out. */
  delivered = 0;
  #queue: Frame[] = [];
  #transient: Frame[] = [];
  #presence = new Map<string, SeatPresence['presence']>();
  /** Members not read from, because another one is far behind. */
  #held = new Set<Member>();
  #slowedAt = Number.NEGATIVE_INFINITY;
  #refreshing = false;
  #stale = false;

  constructor(key: string, store: Store, metrics: Metrics, hooks: RoomHooks) {
    this.key = key;
    this.metrics = metrics;
    this.#store = store;
    this.#hooks = hooks;
  }

  frames(frames: readonly Frame[]): void {
    const next = (this.#queue.at(-1)?.seq ?? this.delivered) + 1;
    if (frames[0]!.seq > next) this.#skip(frames[0]!.seq - 1);
    if (this.#queue.length === 0) this.#queue = frames.slice();
    else this.#queue.push(...frames);
    this.#hooks.ready(this);
  }

  transient(frames: readonly Frame[]): void {
    this.#transient.push(...frames);
    this.#hooks.ready(this);
  }

  lowestCursor(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { cursor } of this.members) lowest = Math.min(lowest, cursor);
    return lowest;
  }

  seatsChanged(): void {
    this.#stale = true;
    if (!this.#refreshing) void this.#refresh();
  }

  /** Members come back by themselves and are told the new epoch. */
  renewed(): void {
    for (const { link } of this.members) link.close();
  }

  ended(reason: 'ended' | 'expired'): void {
    this.#hooks.ended(this, reason);
  }

  report(error: unknown): void {
    this.#hooks.report(error);
  }

  /** What a member who joins knows about the others; later changes are told by events. */
  learn(seats: readonly SeatPresence[]): void {
    for (const { seat, presence } of seats) if (!this.#presence.has(seat)) this.#presence.set(seat, presence);
  }

  /** Sends what was committed since the last time, encoded once for all members who want the same. */
  deliver(): void {
    const frames = this.#queue;
    const transient = this.#transient;
    if (frames.length === 0 && transient.length === 0) return;
    this.#queue = [];
    this.#transient = [];
    const first = this.delivered + 1;
    this.delivered = frames.at(-1)?.seq ?? this.delivered;
    const all = transient.length === 0 ? frames : frames.concat(transient);
    const shared = all.every(({ to }) => to === undefined)
      ? new EncodedBatch(first, this.delivered, all.length, joinItems(all))
      : undefined;
    const bytes = all.reduce((sum, { item }) => sum + item.length, 0);
    for (const member of this.members) {
      if (!member.live) {
        member.missed(bytes);
        continue;
      }
      if (shared && member.cursor === first - 1) member.deliver(shared, this.delivered);
      else this.#deliverOwn(member, frames, transient);
    }
  }

  /** Places that were given up before this relay had read them: whoever waits for them is told. */
  #skip(to: number): void {
    this.deliver();
    this.delivered = to;
    for (const member of this.members) if (member.live) member.skip(to);
  }

  /** A member has pushed. When another one is far behind it is asked to wait; when very far, it is made to. */
  pushed(sender: Member): void {
    const behind = this.#furthestBehind();
    if (behind < SLOW_BYTES) return;
    const now = performance.now();
    if (now - this.#slowedAt >= SLOW_PAUSE_MS) {
      this.#slowedAt = now;
      this.metrics.slowdowns++;
      for (const member of this.members) member.link.send('slow', { pauseMs: SLOW_PAUSE_MS });
    }
    if (behind >= STOP_BYTES && !this.#held.has(sender)) {
      this.#held.add(sender);
      sender.link.stopReading('room');
    }
  }

  /** A member has caught up by some, or is gone. */
  relieved(): void {
    if (this.#held.size === 0 || this.#furthestBehind() >= SLOW_BYTES) return;
    for (const { link } of this.#held) link.goOnReading('room');
    this.#held.clear();
  }

  #furthestBehind(): number {
    let furthest = 0;
    for (const { behindBytes } of this.members) furthest = Math.max(furthest, behindBytes);
    return furthest;
  }

  #deliverOwn(member: Member, frames: readonly Frame[], transient: readonly Frame[]): void {
    const from = member.cursor + 1;
    const to = Math.max(member.cursor, this.delivered);
    const fresh = frames.filter(({ seq }) => seq >= from).concat(transient);
    member.deliver(batchFor(member.seat, from, to, fresh), to);
  }

  async #refresh(): Promise<void> {
    this.#refreshing = true;
    try {
      while (this.#stale) {
        this.#stale = false;
        this.#compare(await this.#store.seats(this.key));
      }
    } catch (error) {
      this.#hooks.report(error);
    } finally {
      this.#refreshing = false;
    }
  }

  #compare(seats: Awaited<ReturnType<Store['seats']>>): void {
    const now = new Map<string, SeatPresence['presence']>(seats.map(({ seat, presence }) => [seat, presence]));
    const changes: SeatPresence[] = seats.filter(({ seat, presence }) => this.#presence.get(seat) !== presence);
    for (const seat of this.#presence.keys()) if (!now.has(seat)) changes.push({ seat, presence: 'gone' });
    this.#presence = now;
    const holders = new Map(seats.map(({ seat, holder }) => [seat, holder]));
    for (const member of this.members) {
      const holder = holders.get(member.seat);
      if (holder === undefined && holders.has(member.seat)) this.#hooks.takenForDead(member);
      else if (holder !== member.link.id) this.#hooks.superseded(member);
      for (const { seat, presence } of changes) if (seat !== member.seat) member.link.send('presence', { seat, presence });
    }
  }
}
