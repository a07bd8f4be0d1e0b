import { fingerprint } from '../protocol/identity.ts';
import { safetyNumber } from '../protocol/safety-number.ts';
import type { KeptMember } from '../storage/kept.ts';
import type { Bytes } from '../wire/index.ts';
import { groupsOfFour, hex } from './text.ts';
import type { Member } from './types.ts';

/** What is known of a member's identity, whether it is here or not. */
export interface KnownMember extends Member {
  readonly identityKey: Bytes;
  /** Whether we, having made the room, gave our word for this member. */
  readonly vouched: boolean;
}

/** A member from before a reload who has not come back: it can be named and verified, and nothing else. */
export class RememberedMember implements KnownMember {
  readonly id: string;
  readonly identityKey: Bytes;
  readonly name: string;
  readonly creator: boolean;
  readonly vouched: boolean;
  readonly attested: boolean;
  readonly safetyNumber: string;
  readonly presence = 'gone';
  readonly waiting = false;
  readonly emoji: Member['emoji'] = [];
  readonly report = undefined;
  readonly changedFrom = undefined;
  readonly #onVerified: () => void;
  #verified: boolean;

  constructor(kept: KeptMember, roomId: Bytes, own: Bytes, creator: boolean, onVerified: () => void) {
    this.id = hex(fingerprint(kept.identity));
    this.identityKey = kept.identity;
    this.name = kept.name;
    this.creator = creator;
    this.vouched = kept.vouched;
    this.attested = kept.attested;
    this.safetyNumber = safetyNumber(roomId, own, kept.identity);
    this.#verified = kept.verified;
    this.#onVerified = onVerified;
  }

  get identity(): string {
    return groupsOfFour(this.id);
  }

  get qr(): string {
    return `qsec2:${this.safetyNumber.replaceAll(' ', '')}`;
  }

  get verified(): boolean {
    return this.#verified;
  }

  verify(): void {
    if (this.#verified) return;
    this.#verified = true;
    this.#onVerified();
  }

  /** Nothing to decide: this is who was known. */
  accept(): void {}
}
