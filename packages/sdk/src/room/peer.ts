import type { Report } from '../bb84/types.ts';
import type { QsecError } from '../errors.ts';
import type { PairChannel } from '../protocol/pair-channel.ts';
import type { AgreementPolicy } from '../protocol/policy.ts';
import { emojiOf } from '../protocol/safety-number.ts';
import type { ReceiverKey } from '../protocol/sender-key.ts';
import type { Bytes } from '../wire/index.ts';
import type { KnownMember } from './remembered-member.ts';
import { groupsOfFour, hex } from './text.ts';
import type { Member, MemberPresence } from './types.ts';

/** Epochs of one sender that can still be opened: the current one and those whose last frames may be on their way. */
const MAX_RECEIVER_KEYS = 4;

export interface PeerFields {
  seat: Bytes;
  identity: Bytes;
  fingerprint: Bytes;
  creator: boolean;
  attested: boolean;
  name: string;
  /** Asked for when it is first looked at: it takes as long as a step of the key agreement. */
  safetyNumber: () => string;
  sas: Bytes;
  report: Report | undefined;
  channel: PairChannel;
  agreement: AgreementPolicy;
  /** Whether the room's rules, as they are now, let this member in. */
  isLetIn(peer: Peer): boolean;
  /** A person goes on with this member under its other identity. */
  onAccepted(peer: Peer): void;
  onVerified(peer: Peer): void;
}

/** Another member with whom keys are confirmed: what an application sees of it, and the keys it does not see. */
export class Peer implements KnownMember {
  readonly seat: Bytes;
  readonly identityKey: Bytes;
  readonly id: string;
  readonly creator: boolean;
  readonly fingerprint: Bytes;
  readonly emoji: Member['emoji'];
  report: Report | undefined;
  /** Why the last full rekeying did without its key agreement. */
  rekeyRefusal: QsecError | undefined;
  readonly channel: PairChannel;
  /** What this member demands of key agreements. */
  readonly agreement: AgreementPolicy;
  readonly #isLetIn: (peer: Peer) => boolean;
  readonly #onAccepted: (peer: Peer) => void;
  readonly #onVerified: (peer: Peer) => void;
  readonly #makeSafetyNumber: () => string;
  #safetyNumber: string | undefined;
  readonly #receiverKeys: ReceiverKey[] = [];
  #verified = false;
  /** As it is shown. */
  name: string;
  /** What it calls itself now, where it is not let in: shown once it is. */
  nextName: string | undefined;
  /** Whom this member seems to be: nothing goes to it, and nothing of it is opened, before a person decided. */
  changedFrom: KnownMember | undefined;
  /** Whether the application was told of that. */
  changeTold = false;
  presence: MemberPresence = 'present';
  attested: boolean;
  /** When something of this member's was opened last, milliseconds since 1970. */
  heardAt = 0;
  /** It said that the link by which we came leads here no more, and nothing about where the room is. */
  turnedUsAway = false;
  /** Whether our sender keys go to this member, and what it says is taken. */
  trusted = false;
  /** Whether we, having made the room or the right to do so, gave our word for this member. */
  vouched = false;

  constructor(fields: PeerFields) {
    this.seat = fields.seat;
    this.identityKey = fields.identity;
    this.id = hex(fields.fingerprint);
    this.fingerprint = fields.fingerprint;
    this.creator = fields.creator;
    this.attested = fields.attested;
    this.#makeSafetyNumber = fields.safetyNumber;
    this.emoji = emojiOf(fields.sas);
    this.report = fields.report;
    this.channel = fields.channel;
    this.agreement = fields.agreement;
    this.name = fields.name;
    this.#isLetIn = fields.isLetIn;
    this.#onAccepted = fields.onAccepted;
    this.#onVerified = fields.onVerified;
  }

  get identity(): string {
    return groupsOfFour(this.id);
  }

  get safetyNumber(): string {
    this.#safetyNumber ??= this.#makeSafetyNumber();
    return this.#safetyNumber;
  }

  get qr(): string {
    return `qsec2:${this.safetyNumber.replaceAll(' ', '')}`;
  }

  get waiting(): boolean {
    return !this.trusted && !this.#isLetIn(this);
  }

  get verified(): boolean {
    return this.#verified;
  }

  verify(): void {
    if (this.#verified) return;
    this.#verified = true;
    this.#onVerified(this);
    this.accept();
  }

  accept(): void {
    if (!this.changedFrom) return;
    this.changedFrom = undefined;
    this.#onAccepted(this);
  }

  /** Takes over what belongs to the identity from its earlier session. */
  inherit(earlier: Peer): void {
    this.#verified = earlier.#verified;
    this.changedFrom = earlier.changedFrom;
    this.changeTold = earlier.changeTold;
    this.attested ||= earlier.attested;
    this.vouched = earlier.vouched;
  }

  /** Takes over what is known of the identity from before it left, or before a reload. */
  recall(known: KnownMember): void {
    this.#verified ||= known.verified;
    this.attested ||= known.attested;
    this.vouched ||= known.vouched;
  }

  /** Takes over an epoch of this member's. One that is known already is not begun again: its frames could be opened twice then. */
  addReceiverKey(key: ReceiverKey): void {
    if (key.announcement.epoch <= this.epoch) {
      key.destroy();
      return;
    }
    this.#receiverKeys.push(key);
    if (this.#receiverKeys.length > MAX_RECEIVER_KEYS) this.#receiverKeys.shift()?.destroy();
  }

  /** Whether this member ever shared a sender key with us. */
  get announced(): boolean {
    return this.#receiverKeys.length > 0;
  }

  /** Number of the newest epoch of this member's that we know; 0 before the first. */
  get epoch(): number {
    return this.#receiverKeys.at(-1)?.announcement.epoch ?? 0;
  }

  /** Epochs of this member's that a group frame claims to be of, if it may be opened. Two of them may have the same name by chance. */
  receiverKeysFor(content: Uint8Array): ReceiverKey[] {
    return this.trusted ? this.#receiverKeys.filter((key) => key.claims(content)) : [];
  }

  /** Whether a group frame claims to be this member's. */
  claims(content: Uint8Array): boolean {
    return this.#receiverKeys.some((key) => key.claims(content));
  }

  /** Overwrites every key shared with this member. */
  destroy(): void {
    this.channel.destroy();
    for (const key of this.#receiverKeys.splice(0)) key.destroy();
  }
}
