import { encodeGroupContent, type GroupContent } from '../protocol/content.ts';
import { encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { type Bytes, equalBytes } from '../wire/index.ts';
import type { RoomContext } from './context.ts';
import type { Heads } from './heads.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import { hex } from './text.ts';

/**
 * Now and then every member says how many messages of whom it has, and who it believes is in the room. What a relay drops, or whom
 * it shows to some and not to others, comes to light within two heartbeats.
 */

const INTERVAL_MS = 15_000;
const IDLE_INTERVAL_MS = 60_000;
/** Intervals differ by up to a fifth, so that members do not beat together. */
const SPREAD = 0.2;
/** A loss is told of when a second heartbeat in a row shows it: the first may have overtaken the message. */
const PATIENCE = 2;
const ROSTER_PATIENCE_MS = 30_000;
/** Who waits for something says so sooner: so long after it noticed, and then after twice as long each time. */
const FIRST_HURRY_MS = 1_000;

export interface HeartbeatsOptions {
  /** Number of our next message. */
  sent(): number;
  /** Which messages of a member came. */
  heads(member: string): Heads;
  /** What a member should have confirmed by the time of its heartbeat and has not. */
  overdue(member: string): Bytes[];
  resend(peer: Peer, contents: readonly Bytes[]): Promise<void>;
  /** Whether we wait for something that others can repeat. */
  lacking(): boolean;
}

type Heartbeat = Extract<GroupContent, { kind: 'heartbeat' }>;

export class Heartbeats {
  readonly #context: RoomContext;
  readonly #membership: Membership;
  readonly #options: HeartbeatsOptions;
  /** How many heartbeats in a row of a member showed the same loss, by what was lost. */
  readonly #suspicions = new WeakMap<Peer, Map<string, number>>();
  /** Since when a member's idea of the roster has differed from ours. */
  readonly #differing = new WeakMap<Peer, number>();
  /** Which epoch of ours a member named last. */
  readonly #acknowledged = new WeakMap<Peer, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hurry: ReturnType<typeof setTimeout> | undefined;
  #activeAt = 0;

  constructor(context: RoomContext, membership: Membership, options: HeartbeatsOptions) {
    this.#context = context;
    this.#membership = membership;
    this.#options = options;
  }

  /** Begins to beat, or hurries the next beat up after a message. */
  activity(): void {
    const idle = Date.now() - this.#activeAt > INTERVAL_MS;
    this.#activeAt = Date.now();
    if (this.#timer === undefined || idle) this.#schedule();
  }

  /** Something is missing that others repeat to who tells them what it has: beats sooner for as long as that is so. */
  hurry(afterMs = FIRST_HURRY_MS): void {
    this.#hurry ??= setTimeout(() => {
      this.#hurry = undefined;
      if (!this.#options.lacking()) return;
      this.#context.enqueue(() => this.beat());
      this.hurry(Math.min(2 * afterMs, INTERVAL_MS));
    }, afterMs);
    // In Node waiting alone must not keep a finished script alive.
    (this.#hurry as { unref?: () => void }).unref?.();
  }

  /** Sends one heartbeat. It takes no place in the relay's log and waits in no mailbox. */
  async beat(): Promise<void> {
    if (this.#membership.audience.length === 0) return;
    const key = await this.#membership.epochs.current();
    const heads = this.#membership.peers.map(({ fingerprint: member, id, epoch }) => {
      return { member, next: this.#options.heads(id).next, epoch };
    });
    heads.push({ member: this.#membership.ownFingerprint, next: this.#options.sent(), epoch: key.epoch });
    const content = encodeGroupContent({ kind: 'heartbeat', heads, roster: this.#membership.rosterHash() });
    this.#context.push(encodeFrame(FRAME_TYPE.group, await key.seal(content)), undefined, true);
    await this.#announceAgain(key.epoch);
  }

  async receive(from: Peer, { heads, roster }: Heartbeat): Promise<void> {
    const suspicions = new Map<string, number>();
    const before = this.#suspicions.get(from);
    for (const { member, next, epoch } of heads) {
      if (equalBytes(member, this.#membership.ownFingerprint)) {
        await this.#hear(from, epoch);
        continue;
      }
      const id = hex(member);
      const author = this.#membership.peers.find((peer) => peer.id === id && !peer.waiting);
      const known = author && this.#options.heads(id);
      const missing = known?.missing(next) ?? 0;
      if (!author || missing === 0 || this.#count(suspicions, before, `${id} ${known?.next}`) !== PATIENCE) continue;
      // Only the author knows how much it wrote: another member's word is told, and changes nothing that later losses are seen by.
      if (author === from) known?.tellUpTo(next);
      this.#context.events.emit('gap', { member: author, missing });
    }
    this.#suspicions.set(from, suspicions);
    this.#compareRosters(from, roster);
  }

  forget(peer: Peer): void {
    this.#acknowledged.delete(peer);
    this.#suspicions.delete(peer);
    this.#differing.delete(peer);
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#hurry);
  }

  /** A member is there and tells which epoch of ours it has: what did not reach it is repeated, keys first. */
  async #hear(from: Peer, epoch: number): Promise<void> {
    this.#acknowledged.set(from, epoch);
    const { epochs } = this.#membership;
    if (epoch !== epochs.number && from.trusted) await this.#membership.announceAgain(from);
    await this.#options.resend(from, this.#options.overdue(from.id));
  }

  /** Who has not named our epoch since it was announced may have lost the announcement, and we its heartbeats for the same reason. */
  async #announceAgain(epoch: number): Promise<void> {
    const since = this.#membership.epochs.startedAt?.getTime() ?? 0;
    if (Date.now() - since < INTERVAL_MS * (1 + SPREAD)) return;
    for (const peer of this.#membership.audience) {
      if (peer.presence === 'present' && this.#acknowledged.get(peer) !== epoch) await this.#membership.announceAgain(peer);
    }
  }

  /** Counts a suspicion once more: how many heartbeats in a row it has been there. */
  #count(now: Map<string, number>, before: Map<string, number> | undefined, suspicion: string): number {
    const count = (before?.get(suspicion) ?? 0) + 1;
    now.set(suspicion, count);
    return count;
  }

  #compareRosters(from: Peer, roster: Bytes): void {
    if (equalBytes(roster, this.#membership.rosterHash())) {
      this.#differing.delete(from);
      return;
    }
    const since = this.#differing.get(from) ?? Date.now();
    this.#differing.set(from, since);
    const stable = Date.now() - Math.max(since, this.#membership.rosterChangedAt) >= ROSTER_PATIENCE_MS;
    if (!stable) return;
    this.#differing.set(from, Number.POSITIVE_INFINITY);
    this.#membership.tell('roster-inconsistent', from);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const idle = Date.now() - this.#activeAt > IDLE_INTERVAL_MS;
    const interval = (idle ? IDLE_INTERVAL_MS : INTERVAL_MS) * (1 - SPREAD + 2 * SPREAD * Math.random());
    this.#timer = setTimeout(() => {
      this.#context.enqueue(() => this.beat());
      this.#schedule();
    }, interval);
    // In Node a heartbeat alone must not keep a finished script alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }
}
