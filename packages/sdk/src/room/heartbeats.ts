import { encodeGroupContent, type GroupContent } from '../protocol/content.ts';
import { encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { type Bytes, equalBytes } from '../wire/index.ts';
import type { RoomContext } from './context.ts';
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

export interface HeartbeatsOptions {
  /** Number of our next message. */
  sent(): number;
  /** A member lacks messages of ours. */
  resend(peer: Peer): Promise<void>;
}

type Heartbeat = Extract<GroupContent, { kind: 'heartbeat' }>;

export class Heartbeats {
  readonly #context: RoomContext;
  readonly #membership: Membership;
  readonly #options: HeartbeatsOptions;
  /** How many heartbeats in a row of a member showed the same loss, by what was lost. */
  readonly #suspicions = new Map<Peer, Map<string, number>>();
  /** Since when a member's idea of the roster has differed from ours. */
  readonly #differing = new Map<Peer, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
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

  /** Sends one heartbeat. It takes no place in the relay's log and waits in no mailbox. */
  async beat(): Promise<void> {
    if (this.#membership.audience.length === 0) return;
    const heads = this.#membership.peers.map((peer) => ({ member: peer.fingerprint, next: peer.heads.next }));
    heads.push({ member: this.#membership.ownFingerprint, next: this.#options.sent() });
    const content = encodeGroupContent({ kind: 'heartbeat', heads, roster: this.#membership.rosterHash() });
    const sealed = await (await this.#membership.epochs.current()).seal(content);
    this.#context.push(encodeFrame(FRAME_TYPE.group, sealed), undefined, true);
  }

  async receive(from: Peer, { heads, roster }: Heartbeat): Promise<void> {
    const suspicions = new Map<string, number>();
    const before = this.#suspicions.get(from);
    for (const { member, next } of heads) {
      const id = hex(member);
      if (equalBytes(member, this.#membership.ownFingerprint)) {
        const count = next < this.#options.sent() ? this.#count(suspicions, before, `us ${next}`) : 0;
        // What was repeated may be lost again.
        if (count > 0 && count % PATIENCE === 0) await this.#options.resend(from);
        continue;
      }
      const author = this.#membership.peers.find((peer) => peer.id === id);
      const missing = author?.heads.missing(next) ?? 0;
      if (!author || missing === 0 || this.#count(suspicions, before, `${id} ${author.heads.next}`) !== PATIENCE) continue;
      // Only the author knows how much it wrote: another member's word is told, and changes nothing that later losses are seen by.
      if (author === from) author.heads.tellUpTo(next);
      this.#context.events.emit('gap', { member: author, missing });
    }
    this.#suspicions.set(from, suspicions);
    this.#compareRosters(from, roster);
  }

  forget(peer: Peer): void {
    this.#suspicions.delete(peer);
    this.#differing.delete(peer);
  }

  close(): void {
    clearTimeout(this.#timer);
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
