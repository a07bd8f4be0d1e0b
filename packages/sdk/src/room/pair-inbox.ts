import type { Logger } from '../options.ts';
import { decodePairContent, type PairContent } from '../protocol/content.ts';
import { sidOfPairFrame } from '../protocol/pair-channel.ts';
import { type Bytes, equalBytes } from '../wire/index.ts';
import type { Conversation } from './conversation.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import type { Removals } from './removals.ts';

export interface PairInboxOptions {
  membership: Membership;
  conversation: Conversation;
  removals: Removals;
  logger: Logger;
}

/** What is taken from members only. Whoever is not let in, or is not the one the person takes it for, repeats it once that changes. */
const FROM_MEMBERS: ReadonlySet<PairContent['kind']> = new Set(['receipt', 'read', 'resend']);

/** Opens what a member sealed for us alone, and hands it to the part of the room that it concerns. */
export class PairInbox {
  readonly #options: PairInboxOptions;

  constructor(options: PairInboxOptions) {
    this.#options = options;
  }

  /** Returns whether it is of the session that we have with the owner of the seat; one that was replaced says nothing. */
  async receive(seat: string, frame: Bytes): Promise<boolean> {
    const peer = this.#options.membership.peerAt(seat);
    if (!peer || !equalBytes(peer.channel.sid, sidOfPairFrame(frame))) return false;
    const content = await peer.channel.open(frame);
    peer.heardAt = Date.now();
    await this.#take(seat, peer, decodePairContent(content));
    return true;
  }

  async #take(seat: string, peer: Peer, content: PairContent): Promise<void> {
    const { membership, conversation, removals, logger } = this.#options;
    if (!peer.trusted && FROM_MEMBERS.has(content.kind)) return;
    switch (content.kind) {
      case 'sender-key': {
        const first = !peer.announced;
        await membership.receiveSenderKey(peer, content);
        await conversation.announced(peer, content.first);
        // It lets us in from now on: what it did not take of us before goes out again, our name with it.
        if (!first || !membership.selective || !peer.trusted) return;
        await membership.announceAgain(peer);
        return conversation.resend(peer);
      }
      case 'receipt':
        return conversation.confirmed(content.ids, peer);
      case 'read':
        return conversation.wereRead(content.ids, peer);
      case 'resend':
        return conversation.receiveContent(peer, content.content);
      case 'admission':
      case 'credentials':
      case 'policy':
      case 'lock':
        return membership.admissions.receive(peer, content);
      case 'obeyed':
        return membership.admissions.receiveConfirmation(peer, content.names);
      case 'removal':
        return removals.receive(peer, content);
      case 'rekey':
        return membership.receiveRekeying(peer, content.payload);
      case 'rekey-request':
        return membership.receiveRekeyRequest(peer, content.full);
      case 'leave':
        return membership.gone(seat);
      case 'unknown':
        logger('info', 'ignored pairwise content of an unknown kind', { code: content.code });
    }
  }
}
