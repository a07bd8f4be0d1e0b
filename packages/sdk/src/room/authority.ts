import { QsecError } from '../errors.ts';
import type { Peer as ProvenPeer } from '../protocol/handshake.ts';
import { fingerprint, type SigningKey } from '../protocol/identity.ts';
import type { Invite } from '../protocol/invite.ts';
import {
  type AgreementPolicy,
  decodeMemberPolicy,
  encodeMemberPolicy,
  isAdmitted,
  type RoomPolicyFields,
  type SignedRoomPolicy,
  signAdmission,
  signRoomPolicy,
  verifyRoomPolicy,
} from '../protocol/policy.ts';
import { type Bytes, equalBytes, MIN_CAPACITY } from '../wire/index.ts';

const NONE: Bytes = new Uint8Array(0);
/** More orders than can be signed before they are stored. */
const UNSTORED_ORDERS = 1_000;

/** What is known of the creator's decisions, and what follows from them: who is let in, and who gets our keys. */
export class Authority {
  readonly #invite: Invite;
  readonly #identity: SigningKey;
  readonly #agreement: AgreementPolicy;
  readonly isCreator: boolean;
  #policy: SignedRoomPolicy | undefined;
  /** The creator's word for us. */
  #admission: Bytes = NONE;
  /** Rises with every order signed. */
  #n: number;

  /**
   * @param policy given by who makes the room, or known from before a reload
   * @param kept from before a reload: the creator's word for us, and the number of our last order
   */
  constructor(
    invite: Invite,
    identity: SigningKey,
    agreement: AgreementPolicy,
    policy: SignedRoomPolicy | undefined,
    kept?: { admission: Bytes; orders: number },
  ) {
    this.#invite = invite;
    this.#identity = identity;
    this.#agreement = agreement;
    this.#policy = policy;
    this.#admission = kept?.admission ?? NONE;
    // An order of the last moment may not have been stored: numbers rise, but need not be consecutive.
    this.#n = Math.max(policy?.n ?? 0, kept ? kept.orders + UNSTORED_ORDERS : 0);
    this.isCreator = equalBytes(fingerprint(identity.publicKey), invite.creator);
  }

  get policy(): SignedRoomPolicy | undefined {
    return this.#policy;
  }

  /** Number of the last order signed here. */
  get orders(): number {
    return this.#n;
  }

  /** Whether newcomers need the creator's word before anyone shares keys with them. */
  get selective(): boolean {
    return this.#policy?.join === 'approve' || this.#policy?.locked === true;
  }

  /** Whether we are let in, as far as the others are concerned. */
  get admitted(): boolean {
    return this.isCreator || !this.selective || this.#admission.length > 0;
  }

  /** The creator's word for us, to show to others; empty until we have it. */
  get admission(): Bytes {
    return this.#admission;
  }

  /** What we tell a peer inside the handshake. */
  demands(): Bytes {
    return encodeMemberPolicy({ agreement: this.#agreement, room: this.#policy?.encoded ?? NONE, admission: this.#admission });
  }

  isCreatorsKey(identity: Uint8Array): boolean {
    return equalBytes(fingerprint(identity), this.#invite.creator);
  }

  /**
   * Decides about a peer before anything is agreed with it.
   *
   * @param others identity keys of the members besides this one
   * @throws {QsecError} `HANDSHAKE_FAILED`, `ROOM_FULL`, or `NOT_ADMITTED` while neither side can show the creator's policy yet
   */
  async admit({ identity, policy }: ProvenPeer, others: readonly Bytes[]): Promise<void> {
    if (equalBytes(identity, this.#identity.publicKey)) {
      throw new QsecError('HANDSHAKE_FAILED', 'The other side shows our own identity: somebody reflects our messages.');
    }
    if (!this.isCreator) await this.#learnFrom(identity, decodeMemberPolicy(policy).room);
    const known = others.filter((key) => !equalBytes(key, identity)).length;
    if (known + 2 > (this.#policy?.capacity ?? MIN_CAPACITY)) {
      throw new QsecError('ROOM_FULL', 'More people than the room has places.');
    }
  }

  /** Whether the creator vouches for a member that shows `admission`. */
  async attests(identity: Uint8Array, admission: Uint8Array): Promise<boolean> {
    if (this.isCreator || this.isCreatorsKey(identity)) return true;
    return this.#policy !== undefined && isAdmitted(this.#invite, this.#policy.creator, identity, admission);
  }

  /** Takes over a policy that is newer than ours; returns whether it was. */
  async learn(encoded: Bytes): Promise<boolean> {
    const signed = await verifyRoomPolicy(this.#invite, encoded);
    if (signed.n <= (this.#policy?.n ?? 0)) return false;
    this.#policy = signed;
    return true;
  }

  /** Takes over the creator's word for us; returns whether it holds. */
  async receiveAdmission(admission: Bytes): Promise<boolean> {
    const valid =
      this.#policy !== undefined && (await isAdmitted(this.#invite, this.#policy.creator, this.#identity.publicKey, admission));
    if (valid) this.#admission = admission;
    return valid;
  }

  /** Vouches for a member. Creator only. */
  vouch(identity: Uint8Array): Promise<Bytes> {
    return signAdmission(this.#invite, this.#identity, identity, ++this.#n);
  }

  /**
   * Changes the room's policy. Returns what to tell the others.
   * @throws {QsecError} `NO_ADMIN` unless we made the room
   */
  async amend(change: Partial<Omit<RoomPolicyFields, 'n'>>): Promise<Bytes> {
    if (!this.isCreator || !this.#policy) throw new QsecError('NO_ADMIN', 'Only who made the room can change its policy.');
    const { join, locked, capacity, name } = { ...this.#policy, ...change };
    this.#policy = await signRoomPolicy(this.#invite, this.#identity, { n: ++this.#n, join, locked, capacity, name });
    return this.#policy.encoded;
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
}
