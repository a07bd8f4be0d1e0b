import { QsecError } from '../errors.ts';
import { encodePairContent, type PairContent } from '../protocol/content.ts';
import type { Invite } from '../protocol/invite.ts';
import type { Removal } from '../protocol/orders.ts';
import { type Bytes, type Delivery, equalBytes, toBase64url } from '../wire/index.ts';
import type { Authority } from './authority.ts';
import type { RoomContext } from './context.ts';
import { Doorkeeper, type Step } from './doorkeeper.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import type { Place, Relocate } from './place.ts';

const NOTHING: Bytes = new Uint8Array(0);
/** How long a relay keeps mail, unless it says otherwise. */
const DEFAULT_RETENTION_MS = 600_000;
/** Former places that are looked after at a time: a delegate who removes without end opens no more connections than these. */
const MAX_LEFT = 16;

export interface RemovalsOptions {
  authority: Authority;
  membership: Membership;
  relocate: Relocate;
  /** The room is at this place from now on. */
  onMoved(place: Place): void;
  /** A frame that was sent at a place before its sender left it. */
  receive(delivery: Delivery, place: Place): Promise<void>;
  /** We were removed. */
  onRemoved(): Promise<void>;
  /** The link by which we came is not the room's any more. */
  onOutdated(): void;
}

/** Removing members: the order, the fresh link, and the move of everyone who stays to the place that it leads to. */
export class Removals {
  readonly #context: RoomContext;
  readonly #options: RemovalsOptions;
  /** From the place we came to, each leads on to the next. */
  readonly #steps: Step[] = [];
  readonly #left = new Map<Place, { doorkeeper: Doorkeeper; timer: ReturnType<typeof setTimeout> }>();

  constructor(context: RoomContext, options: RemovalsOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Removes a member. @throws {QsecError} `NO_ADMIN`, `PEER_GONE` */
  async remove(id: string): Promise<void> {
    const target = this.#options.membership.peers.find((peer) => peer.id === id);
    if (!target) throw new QsecError('PEER_GONE', 'This member is not here any more.');
    await this.#order(target.identityKey);
  }

  async #order(identity: Bytes): Promise<void> {
    const { authority, membership } = this.#options;
    const { removal, renewed } = await authority.remove(identity);
    for (const peer of membership.peers) {
      if (equalBytes(peer.identityKey, identity)) continue;
      const admission = peer.trusted ? await authority.vouch(peer.identityKey, renewed) : NOTHING;
      await this.#pass(peer, removal, peer.trusted ? renewed.secret : NOTHING, admission);
    }
    await this.#follow(removal, renewed);
  }

  /** A member passes a removal on. @throws {QsecError} `NO_ADMIN`, `HANDSHAKE_FAILED` for one that is not genuine */
  async receive(from: Peer, { order, secret, admission }: Extract<PairContent, { kind: 'removal' }>): Promise<void> {
    const { authority, membership, onRemoved, onOutdated } = this.#options;
    const removal = await authority.judge(order);
    if (!removal) return;
    if (equalBytes(removal.removed, this.#context.identity.publicKey)) return onRemoved();
    if (secret.length === 0) {
      // Said by a doorkeeper, who shares no keys; said by a member, it would be a way to put others out.
      if (!from.announced) onOutdated();
      return;
    }
    await this.#follow(removal, authority.renewed(removal, secret));
    if (admission.length > 0) await membership.admissions.receiveAdmission(admission);
  }

  async #follow(removal: Removal, renewed: Invite): Promise<void> {
    const { authority, membership, relocate, onMoved } = this.#options;
    const target = membership.peers.find(({ identityKey }) => equalBytes(identityKey, removal.removed));
    // By everyone: who removed it may not have met it.
    if (target) await this.#pass(target, removal, NOTHING, NOTHING);
    const displaced = authority.follow(removal, renewed);
    const { place: left, keeping } = this.#context;
    const known = this.#steps.findIndex((step) => step.removal.generation === removal.generation);
    this.#steps.splice(known < 0 ? this.#steps.length : known, this.#steps.length, { removal, secret: renewed.secret });
    onMoved(relocate(renewed));
    this.#leave(left);
    if (target) await membership.gone(toBase64url(target.seat));
    await membership.moved();
    membership.tell('member-removed', target);
    await keeping.room();
    // Two removed at once, and the other order held: whom ours was about may have followed it.
    if (displaced) this.#context.enqueue(() => this.#order(displaced.removed));
  }

  #pass(to: Peer, { encoded }: Removal, secret: Bytes, admission: Bytes): Promise<void> {
    const content = { kind: 'removal' as const, order: encoded, secret, admission };
    return this.#options.membership.sendToPeer(to, encodePairContent(content));
  }

  /** Stays at a place that the room left for as long as somebody may come back to it. */
  #leave(place: Place): void {
    const { membership, receive } = this.#options;
    const { logger, enqueue } = this.#context;
    const doorkeeper = new Doorkeeper(place, {
      membership,
      logger,
      enqueue,
      steps: () => this.#steps.filter((step) => leadsOn(place.invite, step)),
      receive: (delivery) => receive(delivery, place),
      onEnded: () => this.#close(place, false),
    });
    const timer = setTimeout(() => this.#close(place, true), place.session.limits?.retentionMs ?? DEFAULT_RETENTION_MS);
    this.#left.set(place, { doorkeeper, timer });
    const [oldest] = this.#left.keys();
    if (oldest && this.#left.size > MAX_LEFT) this.#close(oldest, true);
    // What led here from places that nobody looks after any more is told to nobody.
    const first = Math.min(...Array.from(this.#left.keys(), ({ invite }) => invite.generation));
    this.#steps.splice(
      0,
      Math.max(
        0,
        this.#steps.findIndex(({ removal }) => removal.generation >= first),
      ),
    );
  }

  /** @param forGood gives the seats at former places up, too */
  close(forGood: boolean): void {
    for (const place of [...this.#left.keys()]) this.#close(place, forGood);
  }

  #close(place: Place, forGood: boolean): void {
    const left = this.#left.get(place);
    if (!left) return;
    this.#left.delete(place);
    clearTimeout(left.timer);
    void left.doorkeeper.close(forGood);
  }
}

/** Whether a removal is news at the place of `invite`: it came later, or holds in the place of the one that led there. */
const leadsOn = (invite: Invite, { removal, secret }: Step): boolean =>
  removal.generation > invite.generation || (removal.generation === invite.generation && !equalBytes(secret, invite.secret));
