import { QsecError } from '../errors.ts';
import { encodePairContent, orderName, type PairContent } from '../protocol/content.ts';
import { Invite } from '../protocol/invite.ts';
import { type Removal, readRemoval } from '../protocol/orders.ts';
import type { KeptRoom, KeptStep } from '../storage/kept.ts';
import { type Bytes, type Delivery, equalBytes, toBase64url } from '../wire/index.ts';
import type { Authority } from './authority.ts';
import type { Deciding, Sent } from './confirmations.ts';
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
  /** From before a reload. */
  steps: readonly Step[];
  /** The room is at this place from now on. */
  onMoved(place: Place): void;
  /** A frame that was sent at a place before its sender left it. Whether we share the keys that it was sealed under, if it shows it. */
  receive(delivery: Delivery, place: Place): Promise<boolean | undefined>;
  /** We were removed. */
  onRemoved(): Promise<void>;
  /** The link by which we came is not the room's any more. */
  onOutdated(from: Peer): void;
}

/** A former place, and who looks after it. */
interface Left {
  doorkeeper: Doorkeeper;
  /** Identity keys of the members when the room left it. */
  members: readonly Bytes[];
  until: number;
  timer: ReturnType<typeof setTimeout>;
}

/** Removing members: the order, the fresh link, and the move of everyone who stays to the place that it leads to. */
export class Removals {
  readonly #context: RoomContext;
  readonly #options: RemovalsOptions;
  /** From the place we came to, each leads on to the next. */
  readonly #steps: Step[] = [];
  readonly #left = new Map<Place, Left>();

  constructor(context: RoomContext, options: RemovalsOptions) {
    this.#context = context;
    this.#options = options;
    this.#steps.push(...options.steps);
  }

  /** What has to outlive a reload, so that who has not followed is told also when all who did reload. */
  get kept(): Pick<KeptRoom, 'steps' | 'left'> {
    return {
      steps: this.#steps.map(({ removal, secret }) => ({ order: removal.encoded, secret })),
      left: [...this.#left].map(([{ invite }, { members, until }]) => ({ invite: invite.code, members: [...members], until })),
    };
  }

  /** Goes back to the former places of before a reload, once the room is there again. */
  resume(): void {
    const { relocate } = this.#options;
    for (const { invite, members, until } of this.#context.keeping.kept?.room.left ?? []) {
      if (until > Date.now()) this.#look(relocate(Invite.parse(invite)), members, until);
    }
  }

  /** Removes a member. @throws {QsecError} `NO_ADMIN`, `PEER_GONE` */
  async remove(id: string): Promise<Deciding> {
    const target = this.#options.membership.peers.find((peer) => peer.id === id);
    if (!target) throw new QsecError('PEER_GONE', 'This member is not here any more.');
    const sent = await this.#order(target.identityKey);
    return { done: this.#options.membership.admissions.confirmations.wait(sent) };
  }

  /** Returns what was sent to the members. */
  async #order(identity: Bytes): Promise<Sent[]> {
    const { authority, membership } = this.#options;
    const { removal, renewed } = await authority.remove(identity);
    const sent: Sent[] = [];
    for (const peer of membership.peers) {
      if (equalBytes(peer.identityKey, identity)) continue;
      const admission = peer.trusted ? await authority.vouch(peer.identityKey, renewed) : NOTHING;
      const name = await this.#pass(peer, removal, peer.trusted ? renewed.secret : NOTHING, admission);
      if (peer.trusted) sent.push({ to: peer, name, here: peer.presence === 'present' });
    }
    await this.#follow(removal, renewed);
    return sent;
  }

  /** A member passes a removal on. @throws {QsecError} `NO_ADMIN`, `HANDSHAKE_FAILED` for one that is not genuine */
  async receive(from: Peer, received: Extract<PairContent, { kind: 'removal' }>): Promise<void> {
    const { order, secret, admission } = received;
    const content = encodePairContent(received);
    const { authority, membership, onRemoved, onOutdated } = this.#options;
    const removal = await authority.judge(order);
    const confirm = () => membership.sendToPeer(from, encodePairContent({ kind: 'obeyed', names: [orderName(content)] }));
    if (!removal) return confirm();
    if (equalBytes(removal.removed, this.#context.identity.publicKey)) return onRemoved();
    if (secret.length === 0) {
      // Said by a doorkeeper, who shares no keys; said by a member, it would be a way to put others out.
      if (!from.announced) onOutdated(from);
      return;
    }
    await this.#follow(removal, authority.renewed(removal, secret));
    if (admission.length > 0) await membership.admissions.receiveAdmission(admission);
    await confirm();
  }

  async #follow(removal: Removal, renewed: Invite): Promise<void> {
    const { authority, membership, relocate, onMoved } = this.#options;
    const target = membership.peers.find(({ identityKey }) => equalBytes(identityKey, removal.removed));
    // By everyone: who removed it may not have met it.
    if (target) await this.#pass(target, removal, NOTHING, NOTHING);
    const displaced = authority.follow(removal, renewed);
    const { place: left, keeping } = this.#context;
    const members = membership.audience.map(({ identityKey }) => identityKey);
    const known = this.#steps.findIndex((step) => step.removal.generation === removal.generation);
    this.#steps.splice(known < 0 ? this.#steps.length : known, this.#steps.length, { removal, secret: renewed.secret });
    onMoved(relocate(renewed));
    const retention = left.session.limits?.retentionMs ?? DEFAULT_RETENTION_MS;
    this.#look(left, members, Date.now() + retention);
    if (target) await membership.gone(toBase64url(target.seat));
    await membership.moved();
    await membership.admissions.disown();
    membership.tell('member-removed', target);
    await keeping.room();
    // Two removed at once, and the other order held: whom ours was about may have followed it.
    if (displaced) this.#context.enqueue(async () => void (await this.#order(displaced.removed)));
  }

  /** Returns the name by which its receiver confirms it. */
  async #pass(to: Peer, { encoded }: Removal, secret: Bytes, admission: Bytes): Promise<Bytes> {
    const content = encodePairContent({ kind: 'removal', order: encoded, secret, admission });
    await this.#options.membership.sendToPeer(to, content);
    return orderName(content);
  }

  /** Looks after a place that the room left for as long as somebody may come back to it. */
  #look(place: Place, members: readonly Bytes[], until: number): void {
    const { membership, receive } = this.#options;
    const { logger, enqueue } = this.#context;
    const doorkeeper = new Doorkeeper(place, {
      membership,
      logger,
      enqueue,
      steps: () => this.#steps.filter((step) => leadsOn(place.invite, step)),
      isMember: (identity, admission) => this.#stays(place, members, identity, admission),
      receive: (delivery) => receive(delivery, place),
      onEnded: () => this.#close(place, false),
    });
    const timer = setTimeout(() => this.#close(place, true), until - Date.now());
    this.#left.set(place, { doorkeeper, members, until, timer });
    const [oldest] = this.#left.keys();
    if (oldest && this.#left.size > MAX_LEFT) this.#close(oldest, true);
    // What led here from places that nobody looks after any more is told to nobody.
    const first = Math.min(...Array.from(this.#left.keys(), ({ invite }) => invite.generation));
    const needed = this.#steps.findIndex(({ removal }) => removal.generation >= first);
    if (needed > 0) this.#steps.splice(0, needed);
  }

  /**
   * Whether an identity is a member, or was one at a place that the room left, as we know or somebody's word for it shows, and was not
   * removed since.
   */
  async #stays({ invite }: Place, members: readonly Bytes[], identity: Bytes, admission: Bytes): Promise<boolean> {
    const { authority, membership } = this.#options;
    if (membership.peers.some((peer) => peer.trusted && equalBytes(peer.identityKey, identity))) return true;
    if (this.#steps.some(({ removal }) => equalBytes(removal.removed, identity))) return false;
    return members.some((member) => equalBytes(member, identity)) || authority.attestedIn(invite, identity, admission);
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

/** @throws {QsecError} `INVALID_ARGUMENT` */
export const readStep = ({ order, secret }: KeptStep): Step => ({ removal: readRemoval(order), secret });

/** Whether a removal is news at the place of `invite`: it came later, or holds in the place of the one that led there. */
const leadsOn = (invite: Invite, { removal, secret }: Step): boolean =>
  removal.generation > invite.generation || (removal.generation === invite.generation && !equalBytes(secret, invite.secret));
