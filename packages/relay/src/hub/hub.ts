import type { Joined, JoinRequest, RelayError, RelayLimits } from '@qsec2/sdk/wire';
import type { Clock } from '../clock.ts';
import type { EventRecorder } from '../events/recorder.ts';
import { type Frame, frameFromPush, isTransient } from '../frames/item.ts';
import type { PushView } from '../frames/parse-pushes.ts';
import { type Hasher, sameHash } from '../hashes.ts';
import type { Metrics } from '../metrics.ts';
import { type AppendRequest, MAILBOX_FULL, NO_SUCH_ROOM, type SeatRefusal, type SeatTaken, type Store } from '../store/store.ts';
import { refusals } from './errors.ts';
import type { Link } from './link.ts';
import { type Answer, Member } from './member.ts';
import { HubRoom, type RoomHooks } from './room.ts';

/** A connection that takes nothing of what waits for it for so long is cut; its member resumes where it was. */
const STALLED_MS = 15_000;
const STALL_CHECK_MS = 2500;
const TELL_CUT_MS = 1000;

/** From so many frames a millisecond on, ticks are collected for longer: a commit and a batch for many frames cost little more than for one. */
const BUSY_RATE = 8;
const BUSY_TICK_MS = 4;
/** A burst is over before collecting would help; it would only come later. */
const BUSY_SINCE_MS = 200;

export interface HubOptions {
  store: Store;
  clock: Clock;
  hasher: Hasher;
  events: EventRecorder;
  metrics: Metrics;
  limits: RelayLimits;
  /** How long a dropped connection is not yet shown as away: a reload or a change of network takes less. */
  awayAfterMs: number;
  onError(error: unknown): void;
  /** So many members were cut because other relays took this one for dead. */
  onCutLate(members: number): void;
}

/** A push on its way: to be placed in the log, or answered already. */
interface Pending {
  member: Member;
  frame: Frame | undefined;
  answer: Answer | undefined;
}

/**
 * Brings members, rooms and the log together. Frames are collected for one turn of the event loop, committed together,
 * acknowledged, and only then fanned out: what nobody was told to be safe was seen by nobody.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #rooms = new Map<string, HubRoom>();
  readonly #opening = new Map<string, Promise<HubRoom>>();
  readonly #away = new Set<NodeJS.Timeout>();
  #pending: Pending[] = [];
  #ready = new Set<HubRoom>();
  #scheduled = false;
  /** Frames a millisecond, smoothed, and when the last tick began. */
  #rate = 0;
  #tickAt = performance.now();
  #committing: Promise<void> | undefined;

  /** Members cut because of a late heartbeat, to be told of together. */
  #cut = 0;
  #cutTimer: NodeJS.Timeout | undefined;
  readonly #stallTimer: NodeJS.Timeout;
  readonly #hooks: RoomHooks = {
    ready: (room) => {
      this.#ready.add(room);
      this.#schedule();
    },
    superseded: (member) => this.#supersede(member),
    takenForDead: (member) => this.#cutLate(member),
    ended: (room, reason) => this.#ended(room, reason),
    report: (error) => this.#options.onError(error),
  };

  constructor(options: HubOptions) {
    this.#options = options;
    this.#stallTimer = setInterval(() => this.#cutStalled(), STALL_CHECK_MS);
    this.#stallTimer.unref();
  }

  /** @returns the member, to be started once the reply is on its way; or why not. */
  async join(link: Link, request: JoinRequest): Promise<{ member: Member; joined: Joined } | RelayError> {
    const { store, hasher, events, limits } = this.#options;
    const key = hasher.name('room', request.room);
    const tokenHash = hasher.secret('token', request.token);
    const record = await store.find(key);
    if (!record || !sameHash(record.tokenHash, tokenHash)) return refusals.noRoom;
    const secretHash = hasher.secret('seat secret', request.seatSecret);
    const room = await this.#hold(key);
    const { seat, since } = request;
    let taken: SeatTaken | SeatRefusal;
    try {
      taken = await store.takeSeat(key, { seat, secretHash, holder: link.id, ...(since && { since }) });
    } finally {
      room.joining--;
    }
    if (typeof taken === 'string') {
      this.#closeIfEmpty(room);
      return refusals[taken === 'no room' ? 'noRoom' : taken === 'taken' ? 'seatTaken' : 'roomFull'];
    }
    // It ended while the seat was taken.
    if (this.#rooms.get(key) !== room) return refusals.noRoom;
    const cursor = startingPlace(request, taken);
    if (request.since) store.received(key, request.seat, cursor);
    const member = new Member(link, room, request.seat, Math.max(cursor, taken.floor), taken.epoch, store);
    room.members.add(member);
    room.learn(taken.seats);
    events.joined(key, hasher.name('actor', request.seat), taken);
    const { epoch, head, floor } = taken;
    const members = taken.seats.map(({ seat, presence }) => ({ seat, presence }));
    const joined: Joined = { epoch, head, floor, members, limits, durability: store.durability };
    if (cursor < floor) joined.gap = { from: cursor + 1, to: floor };
    return { member, joined };
  }

  push(member: Member, bytes: Buffer, views: readonly PushView[]): void {
    const { clock, limits } = this.#options;
    const time = clock.now();
    for (const view of views) {
      const refusal = view.bodyBytes > limits.frameBytes ? refusals.tooLarge : member.admit(view.bodyBytes, limits);
      if (refusal) {
        this.#pending.push({ member, frame: undefined, answer: refusal });
        continue;
      }
      const frame = frameFromPush(bytes, view, member.seatBytes, member.seat, time);
      this.#pending.push({ member, frame, answer: isTransient(view) ? 0 : undefined });
    }
    member.room.pushed(member);
    this.#schedule();
  }

  received(member: Member, upTo: number): void {
    this.#options.store.received(member.room.key, member.seat, Math.min(upTo, member.cursor));
  }

  async leave(member: Member): Promise<void> {
    const { store, hasher, events } = this.#options;
    this.#forget(member);
    await store.leaveSeat(member.room.key, member.seat);
    events.record({ kind: 'member-left', room: member.room.key, actor: hasher.name('actor', member.seat) });
  }

  /** The connection is gone; the seat stays, and is shown as away when nobody resumes it soon. */
  disconnected(member: Member): void {
    if (member.closed) return;
    this.#forget(member);
    const timer = setTimeout(() => {
      this.#away.delete(timer);
      this.#options.store.releaseSeat(member.room.key, member.seat, member.link.id).catch(this.#options.onError);
    }, this.#options.awayAfterMs);
    timer.unref();
    this.#away.add(timer);
  }

  /** Commits and acknowledges everything taken so far. */
  async settle(): Promise<void> {
    while (this.#pending.length > 0 || this.#committing) await (this.#committing ?? this.#flush());
  }

  async close(): Promise<void> {
    await this.settle();
    clearInterval(this.#stallTimer);
    this.#tellCut();
    for (const timer of this.#away) clearTimeout(timer);
    for (const room of this.#rooms.values()) this.#options.store.unwatch(room.key);
    this.#rooms.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing) return;
    this.#scheduled = true;
    const tick = () => {
      this.#scheduled = false;
      if (!this.#committing) void this.#flush();
    };
    const wait = this.#rate < BUSY_RATE ? 0 : BUSY_TICK_MS - (performance.now() - this.#tickAt);
    if (wait < 1) setImmediate(tick);
    else setTimeout(tick, wait);
  }

  #measure(frames: number): void {
    const now = performance.now();
    const elapsed = Math.max(0.1, now - this.#tickAt);
    // Weighted by the time it stands for, so that a quiet second counts for more than a busy moment.
    const weight = Math.min(1, elapsed / BUSY_SINCE_MS);
    this.#rate += weight * (frames / elapsed - this.#rate);
    this.#tickAt = now;
  }

  /** One tick: commit, acknowledge, fan out. While a commit is under way the next one collects. */
  async #flush(): Promise<void> {
    let done = () => {};
    this.#committing = new Promise((resolve) => {
      done = resolve;
    });
    try {
      const pending = this.#pending;
      this.#pending = [];
      this.#measure(pending.length);
      const acknowledged = this.#acknowledge(pending, await this.#append(pending));
      this.#deliver();
      // To members who were not sent anything else.
      for (const { link } of acknowledged) link.flush();
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#committing = undefined;
      done();
      if (this.#pending.length > 0 || this.#ready.size > 0) this.#schedule();
    }
  }

  async #append(pending: readonly Pending[]): Promise<readonly number[] | undefined> {
    const requests: AppendRequest[] = [];
    for (const { member, frame, answer } of pending) {
      if (frame && answer === undefined) requests.push({ room: member.room.key, frame });
    }
    if (requests.length === 0) return [];
    const { store, metrics } = this.#options;
    const started = performance.now();
    try {
      const places = await store.append(requests);
      metrics.commits++;
      metrics.commitSeconds.observe((performance.now() - started) / 1000);
      return places;
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  #acknowledge(pending: readonly Pending[], places: readonly number[] | undefined): Set<Member> {
    const { events, store, metrics } = this.#options;
    const touched = new Set<Member>();
    let next = 0;
    for (const { member, frame, answer } of pending) {
      touched.add(member);
      if (frame && answer === undefined) {
        const place = places === undefined ? undefined : places[next++];
        member.answer(answerFor(place));
        if (place === undefined || place < 0) {
          metrics.framesRefused++;
          continue;
        }
        metrics.framesPlaced++;
        metrics.bytesTaken += frame.item.length;
        events.relayed(member.room.key, frame.item.length, place);
        continue;
      }
      if (!frame) metrics.framesRefused++;
      else {
        metrics.framesTransient++;
        member.room.transient([frame]);
        store.relayTransient(member.room.key, [frame]);
      }
      member.answer(answer ?? 0);
    }
    for (const member of touched) member.sendAck();
    return touched;
  }

  #deliver(): void {
    const ready = this.#ready;
    this.#ready = new Set();
    for (const room of ready) room.deliver();
  }

  /** The room, open, and not closed before whoever holds it has joined. */
  async #hold(key: string): Promise<HubRoom> {
    for (;;) {
      const room = this.#rooms.get(key) ?? (await this.#open(key));
      // Others may have waited as well, joined and left since.
      if (this.#rooms.get(key) !== room) continue;
      room.joining++;
      return room;
    }
  }

  #open(key: string): Promise<HubRoom> {
    const opening = this.#opening.get(key) ?? this.#watch(key);
    this.#opening.set(key, opening);
    return opening;
  }

  async #watch(key: string): Promise<HubRoom> {
    const { store, metrics } = this.#options;
    const room = new HubRoom(key, store, metrics, this.#hooks);
    try {
      const { head } = await store.watch(key, room);
      // Others may have placed frames since, and they may have been passed on already, to nobody.
      room.delivered = Math.max(room.delivered, head);
      this.#rooms.set(key, room);
      return room;
    } finally {
      this.#opening.delete(key);
    }
  }

  #cutStalled(): void {
    for (const room of this.#rooms.values()) {
      for (const { link } of room.members) {
        if (link.stalledMs < STALLED_MS) continue;
        this.#options.metrics.connectionsCut++;
        link.terminate();
      }
    }
  }

  #supersede(member: Member): void {
    this.#forget(member);
    member.link.close();
  }

  /** It comes back by itself. There may be thousands at once: one line of the log tells of all. */
  #cutLate(member: Member): void {
    this.#options.metrics.membersCutLate++;
    this.#cut++;
    this.#cutTimer ??= setTimeout(() => this.#tellCut(), TELL_CUT_MS).unref();
    this.#supersede(member);
  }

  #tellCut(): void {
    clearTimeout(this.#cutTimer);
    this.#cutTimer = undefined;
    if (this.#cut > 0) this.#options.onCutLate(this.#cut);
    this.#cut = 0;
  }

  #ended(room: HubRoom, reason: 'ended' | 'expired'): void {
    room.deliver();
    for (const member of room.members) {
      member.close();
      member.link.send('ended', { reason });
    }
    room.members.clear();
    this.#rooms.delete(room.key);
  }

  #forget(member: Member): void {
    member.close();
    member.room.members.delete(member);
    member.room.relieved();
    this.#closeIfEmpty(member.room);
  }

  #closeIfEmpty(room: HubRoom): void {
    if (room.members.size > 0 || room.joining > 0 || this.#rooms.get(room.key) !== room) return;
    this.#rooms.delete(room.key);
    this.#options.store.unwatch(room.key);
  }
}

function answerFor(place: number | undefined): Answer {
  if (place === undefined) return refusals.unavailable;
  if (place === NO_SUCH_ROOM) return refusals.noRoom;
  if (place === MAILBOX_FULL) return refusals.mailboxFull;
  return place;
}

/** Another epoch's numbers mean nothing here: that member is sent everything the new log has. */
function startingPlace({ since }: JoinRequest, { epoch, head }: SeatTaken): number {
  if (!since) return head;
  return since.epoch === epoch ? Math.min(since.seq, head) : 0;
}
