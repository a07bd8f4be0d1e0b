import { QsecError } from '../errors.ts';
import type { Peer as ProvenPeer } from '../protocol/handshake.ts';
import { fingerprint, type SigningKey } from '../protocol/identity.ts';
import type { Invite } from '../protocol/invite.ts';
import {
  type Delegate,
  isAdmitted,
  type Lock,
  may,
  outranks,
  type Powers,
  type Removal,
  type Right,
  readRemoval,
  removalPrecedes,
  renewedInvite,
  signAdmission,
  signerOf,
  signLock,
  signRemoval,
  verifyLock,
  verifyRemoval,
} from '../protocol/orders.ts';
import {
  type AgreementPolicy,
  decodeMemberPolicy,
  encodeMemberPolicy,
  type SignedRoomPolicy,
  signRoomPolicy,
  verifyRoomPolicy,
} from '../protocol/policy.ts';
import { type Bytes, equalBytes, fromBase64url, MIN_CAPACITY, toBase64url } from '../wire/index.ts';
import { forgetOldest } from './forget-oldest.ts';

const NONE: Bytes = new Uint8Array(0);
/** More orders than can be signed before they are stored. */
const UNSTORED_ORDERS = 1_000;

/** Removed identities that are remembered. Whose removal was longer ago has been without a link for as many of them. */
const MAX_BANNED = 4_096;

/** Of before a reload. */
export interface KeptAuthority {
  /** The word of somebody who may admit for us. */
  admission: Bytes;
  lock: Lock | undefined;
  /** Number of the last order known. */
  orders: number;
  banned: readonly Bytes[];
  /** Whether we were in the room when the present link was made. */
  carriedOver: boolean;
  /** The removal that led to the present link. */
  removal: Removal | undefined;
}

/** What is known of the decisions of the creator and its delegates, and what follows: who is let in, who gets our keys, where the room is. */
export class Authority {
  readonly #identity: SigningKey;
  readonly #agreement: AgreementPolicy;
  readonly isCreator: boolean;
  #invite: Invite;
  #policy: SignedRoomPolicy | undefined;
  #lock: Lock | undefined;
  #admission: Bytes;
  /** Whether we were in the room when the present link was made: who knows us from then needs no word for us. */
  #carriedOver = false;
  /** The removal that led to the present link. */
  #removal: Removal | undefined;
  /** Identities that were removed, base64url. */
  readonly #banned = new Set<string>();
  /** Number of the last order, whoever signed it. */
  #n: number;

  /** @param policy given by who makes the room, or known from before a reload */
  constructor(
    invite: Invite,
    identity: SigningKey,
    agreement: AgreementPolicy,
    policy: SignedRoomPolicy | undefined,
    kept?: KeptAuthority,
  ) {
    this.#invite = invite;
    this.#identity = identity;
    this.#agreement = agreement;
    this.#policy = policy;
    this.#admission = kept?.admission ?? NONE;
    this.#lock = kept?.lock;
    this.#carriedOver = kept?.carriedOver ?? false;
    this.#removal = kept?.removal;
    for (const identity of kept?.banned ?? []) this.#banned.add(toBase64url(identity));
    // An order of the last moment may not have been stored: numbers rise, but need not be consecutive.
    this.#n = Math.max(policy?.n ?? 0, kept ? kept.orders + UNSTORED_ORDERS : 0);
    this.isCreator = equalBytes(fingerprint(identity.publicKey), invite.creator);
  }

  get policy(): SignedRoomPolicy | undefined {
    return this.#policy;
  }

  get lock(): Lock | undefined {
    return this.#lock;
  }

  get locked(): boolean {
    return this.#lock?.locked === true;
  }

  /** Number of the last order known. */
  get orders(): number {
    return this.#n;
  }

  /** Identity keys of who was removed. */
  get banned(): readonly Bytes[] {
    return [...this.#banned].map(fromBase64url);
  }

  get carriedOver(): boolean {
    return this.#carriedOver;
  }

  /** Whether newcomers need somebody's word before anyone shares keys with them. */
  get selective(): boolean {
    return this.#policy?.join === 'approve' || this.locked;
  }

  /** Whether we are let in, as far as the others are concerned. */
  get admitted(): boolean {
    return this.isCreator || !this.selective || this.#carriedOver || this.#admission.length > 0;
  }

  /** The word for us, to show to others; empty until we have it. */
  get admission(): Bytes {
    return this.#admission;
  }

  /** Who may decide in the creator's stead: whom the policy names, and who was not removed since. */
  get delegates(): readonly Delegate[] {
    return this.#standing(this.#banned);
  }

  /** Whether orders of `identity`, ours unless given, are taken. */
  may(right: Right, identity: Uint8Array = this.#identity.publicKey): boolean {
    const powers = this.#powers;
    return powers ? may(powers, identity, right) : this.isCreatorsKey(identity);
  }

  /** What we tell a peer inside the handshake. @param name what we call ourselves */
  demands(name: string): Bytes {
    return encodeMemberPolicy({
      agreement: this.#agreement,
      room: this.#policy?.encoded ?? NONE,
      lock: this.#lock?.encoded ?? NONE,
      admission: this.#admission,
      name,
    });
  }

  isCreatorsKey(identity: Uint8Array): boolean {
    return equalBytes(fingerprint(identity), this.#invite.creator);
  }

  /**
   * Decides about a peer before anything is agreed with it.
   *
   * @param others identity keys of who is a member, or about to be; one may be named twice
   * @throws {QsecError} `HANDSHAKE_FAILED`, `ROOM_FULL`, or `NOT_ADMITTED` while neither side can show the creator's policy yet
   */
  async admit({ identity, policy }: ProvenPeer, others: readonly Bytes[]): Promise<void> {
    if (equalBytes(identity, this.#identity.publicKey)) {
      throw new QsecError('HANDSHAKE_FAILED', 'The other side shows our own identity: somebody reflects our messages.');
    }
    if (this.#banned.has(toBase64url(identity))) {
      throw new QsecError('HANDSHAKE_FAILED', 'Somebody who was removed tries to come back.');
    }
    const { room, lock } = decodeMemberPolicy(policy);
    if (!this.isCreator) await this.#learnFrom(identity, room);
    if (lock.length > 0) await this.learnLock(lock);
    const members = new Set([...others, identity].map(toBase64url));
    if (members.size + 1 > (this.#policy?.capacity ?? MIN_CAPACITY)) {
      throw new QsecError('ROOM_FULL', 'More people than the room has places.');
    }
  }

  /** Whether an admission says that who made the room gave it. */
  isCreatorsWord(admission: Uint8Array): boolean {
    return this.isCreatorsKey(signerOf(admission));
  }

  /** Whether somebody who may do so vouches for a member that shows `admission`. The creator needs nobody's word. */
  async attests(identity: Uint8Array, admission: Uint8Array): Promise<boolean> {
    if (this.isCreatorsKey(identity)) return true;
    const powers = this.#powers;
    return powers !== undefined && isAdmitted(this.#invite, powers, identity, admission);
  }

  /** Whether somebody vouched for an identity in the room that another link, an earlier one, led to. */
  async attestedIn(invite: Invite, identity: Uint8Array, admission: Uint8Array): Promise<boolean> {
    const powers = this.#powers;
    return powers !== undefined && (await isAdmitted(invite, powers, identity, admission));
  }

  /** Takes over a policy that is newer than ours; returns whether it was. */
  async learn(encoded: Bytes): Promise<boolean> {
    const signed = await verifyRoomPolicy(this.#invite, encoded);
    if (signed.n <= (this.#policy?.n ?? 0)) return false;
    this.#policy = signed;
    this.#count(signed.n);
    return true;
  }

  /** Takes over a newer order about who comes in. `refused`: its signer may not give it, as far as is known here. */
  async learnLock(encoded: Bytes): Promise<'new' | 'known' | 'refused'> {
    const policy = this.#known(this.#powers);
    const lock = await verifyLock(this.#invite, policy, encoded);
    if (!lock) return 'refused';
    if (this.#lock && !outranks(policy, lock, this.#lock)) return 'known';
    this.#lock = lock;
    this.#count(lock.n);
    return 'new';
  }

  /** Takes over somebody's word for us; returns whether it holds. */
  async receiveAdmission(admission: Bytes): Promise<boolean> {
    const powers = this.#powers;
    const valid = powers !== undefined && (await isAdmitted(this.#invite, powers, this.#identity.publicKey, admission));
    if (valid) this.#admission = admission;
    return valid;
  }

  /** Vouches for a member. @param invite the link that the word is for, if not the present one */
  vouch(identity: Uint8Array, invite = this.#invite): Promise<Bytes> {
    return signAdmission(invite, this.#identity, identity, ++this.#n);
  }

  /** Locks the room or opens it. Returns what to tell the others. @throws {QsecError} `NO_ADMIN` */
  async order(locked: boolean): Promise<Bytes> {
    if (!this.may('lock')) throw noAdmin('lock or unlock it');
    this.#lock = await signLock(this.#invite, this.#identity, ++this.#n, locked);
    return this.#lock.encoded;
  }

  /**
   * Gives a member rights, or takes them back. Returns what to tell the others.
   * @throws {QsecError} `NO_ADMIN` unless we made the room
   */
  async delegate(identity: Bytes, rights: readonly Right[]): Promise<{ policy: Bytes; lock: Bytes | undefined }> {
    if (!this.isCreator) throw new QsecError('NO_ADMIN', 'Only who made the room can give rights to others.');
    const others = this.delegates.filter((delegate) => !equalBytes(delegate.identity, identity));
    await this.#sign(rights.length > 0 ? [...others, { identity, rights }] : others);
    return { policy: this.#known(this.#policy).encoded, lock: await this.#adoptLock() };
  }

  /**
   * Signs anew what rests on somebody who was removed: newcomers, who do not know of it, are not to take their orders, and are to take
   * the one that is in force. Returns what to tell the others, as far as it is ours to sign.
   */
  async disown(): Promise<{ policy: Bytes | undefined; lock: Bytes | undefined }> {
    const named = this.#policy?.delegates.length ?? 0;
    const resigned = this.isCreator && this.delegates.length < named;
    if (resigned) await this.#sign(this.delegates);
    return { policy: resigned ? this.#policy?.encoded : undefined, lock: await this.#adoptLock() };
  }

  /** Removes a member: an order, and the link that the room goes on under. @throws {QsecError} `NO_ADMIN` */
  async remove(identity: Bytes): Promise<{ removal: Removal; renewed: Invite }> {
    if (!this.may('remove')) throw noAdmin('remove a member');
    if (this.isCreatorsKey(identity)) throw new QsecError('NO_ADMIN', 'Nobody can remove who made the room.');
    return signRemoval(this.#invite, this.#identity, identity, ++this.#n);
  }

  /**
   * Judges a removal that somebody passed on. Undefined when it is not the next one: it was followed before, or another one holds
   * in its place. One that names us holds also when we have not heard of those before it.
   * @throws {QsecError} `NO_ADMIN` unless somebody signed it who may
   */
  async judge(encoded: Bytes): Promise<Removal | undefined> {
    const policy = this.#known(this.#policy);
    const { generation } = this.#invite;
    const rival = readRemoval(encoded).generation === generation ? this.#removal : undefined;
    // Of two who decided without knowing of each other, neither had been removed yet.
    const powers = rival ? this.#powersBefore(policy, rival) : this.#known(this.#powers);
    const removal = await verifyRemoval(this.#invite, powers, encoded);
    const ours = equalBytes(removal.removed, this.#identity.publicKey);
    if (removal.generation === generation + 1 || (ours && removal.generation > generation)) return removal;
    return rival && removalPrecedes(powers, removal, rival) ? removal : undefined;
  }

  /** The link that a removal leads to. @throws {QsecError} `HANDSHAKE_FAILED` for a secret that is not the order's */
  renewed(removal: Removal, secret: Bytes): Invite {
    return renewedInvite(this.#invite, removal, secret);
  }

  /**
   * The room goes on under another link, for which nobody has been admitted yet. Returns our own removal that lost its place to this
   * one, if there is one: whoever it is about stays until it is removed again.
   */
  follow(removal: Removal, renewed: Invite): Removal | undefined {
    const displaced = this.#removal?.generation === removal.generation ? this.#removal : undefined;
    this.#carriedOver = this.admitted;
    this.#invite = renewed;
    this.#removal = removal;
    if (displaced) this.#banned.delete(toBase64url(displaced.removed));
    this.#banned.add(toBase64url(removal.removed));
    forgetOldest(this.#banned, MAX_BANNED);
    this.#admission = NONE;
    this.#count(removal.n);
    return displaced && equalBytes(displaced.signer, this.#identity.publicKey) ? displaced : undefined;
  }

  /** What somebody who joined may believe about the room, and from whom. */
  async #learnFrom(identity: Bytes, room: Bytes): Promise<void> {
    const fromCreator = this.isCreatorsKey(identity);
    if (room.length > 0) await this.learn(room);
    else if (fromCreator) throw new QsecError('HANDSHAKE_FAILED', 'The creator did not show a signed room policy.');
    if (fromCreator) return;
    if (!this.#policy) throw new QsecError('NOT_ADMITTED', 'Neither side has met the creator yet.');
    // In a room for two, the other one has to be who made the link: a relay that knows the link cannot step in between.
    if (this.#policy.capacity === MIN_CAPACITY)
      throw new QsecError('HANDSHAKE_FAILED', 'The other side is not who made this link.');
  }

  /** Whom orders are taken from. */
  get #powers(): Powers | undefined {
    return this.#policy && { creator: this.#policy.creator, delegates: this.delegates };
  }

  /** Whom they were taken from before a removal. */
  #powersBefore({ creator }: SignedRoomPolicy, { removed }: Removal): Powers {
    const banned = new Set(this.#banned);
    banned.delete(toBase64url(removed));
    return { creator, delegates: this.#standing(banned) };
  }

  #standing(banned: ReadonlySet<string>): readonly Delegate[] {
    return (this.#policy?.delegates ?? []).filter(({ identity }) => !banned.has(toBase64url(identity)));
  }

  async #sign(delegates: readonly Delegate[]): Promise<void> {
    const { join, capacity, name } = this.#known(this.#policy);
    this.#policy = await signRoomPolicy(this.#invite, this.#identity, { n: ++this.#n, join, capacity, name, delegates });
  }

  /** The order of somebody who may give it no more is ours from now on, if we may give it: else newcomers would not take it. */
  async #adoptLock(): Promise<Bytes | undefined> {
    const orphaned = this.#lock && !this.may('lock', this.#lock.signer) && this.may('lock');
    return orphaned ? this.order(this.locked) : undefined;
  }

  #known<T>(of: T | undefined): T {
    if (of) return of;
    throw new QsecError('NOT_ADMITTED', "An order came before the creator's policy was known.");
  }

  #count(n: number): void {
    this.#n = Math.max(this.#n, n);
  }
}

const noAdmin = (what: string) => new QsecError('NO_ADMIN', `Only who made the room, or got the right from them, can ${what}.`);
