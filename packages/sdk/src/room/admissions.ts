import { QsecError } from '../errors.ts';
import { encodePairContent } from '../protocol/content.ts';
import { RIGHTS, type Right } from '../protocol/orders.ts';
import type { Bytes } from '../wire/index.ts';
import type { Authority } from './authority.ts';
import type { Peer } from './peer.ts';
import type { SecurityEvent } from './types.ts';

export interface AdmissionsOptions {
  authority: Authority;
  /** Members with confirmed keys, let in or not. */
  peers(): readonly Peer[];
  sendToPeer(peer: Peer, content: Bytes): Promise<void>;
  /** Our sender keys go to this member from now on. */
  onTrusted(peer: Peer): Promise<void>;
  /** What is shown of members changed, or what follows from it. */
  onChange(): void;
  tell(kind: SecurityEvent['kind'], member: Peer | undefined): void;
}

/** Who among those with confirmed keys is let in: the word of the creator or a delegate for each, and the orders that decide about it. */
export class Admissions {
  readonly #options: AdmissionsOptions;
  readonly #authority: Authority;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
    this.#authority = options.authority;
  }

  /** Keys with a member are confirmed, and it has shown whose word it has. */
  async meet(peer: Peer): Promise<void> {
    const { isCreator, selective } = this.#authority;
    // The creator's own word goes on to hold when a delegate's does not.
    const due = isCreator ? !selective || peer.attested : !selective && !peer.attested && this.#authority.may('approve');
    if (due && !peer.creator) await this.#vouch(peer);
    await this.trust(peer);
  }

  /** Shares our sender keys with a member, if the room's policy allows that. */
  async trust(peer: Peer): Promise<void> {
    if (peer.trusted || !(peer.vouched || peer.attested || !this.#authority.selective)) return;
    peer.trusted = true;
    await this.#options.onTrusted(peer);
  }

  /** Lets a member in who waits for it. @throws {QsecError} `NO_ADMIN`, `PEER_GONE` */
  async approve(id: string): Promise<void> {
    if (!this.#authority.may('approve')) {
      throw new QsecError('NO_ADMIN', 'Only who made the room, or got the right from them, can let somebody in.');
    }
    const peer = this.#peer(id);
    if (!peer.vouched) await this.#vouch(peer);
    await this.trust(peer);
    this.#options.onChange();
  }

  /** Locks the room or opens it, and tells everyone. @throws {QsecError} `NO_ADMIN` */
  async lock(locked: boolean): Promise<void> {
    const order = await this.#authority.order(locked);
    await this.#everyone(encodePairContent({ kind: 'lock', order }));
    await this.#decided();
  }

  /** Gives a member rights, or takes them back, and tells everyone. @throws {QsecError} `NO_ADMIN`, `PEER_GONE`, `INVALID_ARGUMENT` */
  async delegate(id: string, rights: readonly Right[]): Promise<void> {
    if (!rights.every((right) => RIGHTS.includes(right))) {
      throw new QsecError('INVALID_ARGUMENT', `"rights" expected some of ${RIGHTS.join(', ')}, got ${rights.join(', ')}`);
    }
    const { policy, lock } = await this.#authority.delegate(this.#peer(id).identityKey, rights);
    await this.#everyone(encodePairContent({ kind: 'policy', policy }));
    if (lock) await this.#everyone(encodePairContent({ kind: 'lock', order: lock }));
    await this.#decided();
  }

  /** Somebody let us in: those who know us show it to the others. */
  async receiveAdmission(admission: Bytes): Promise<void> {
    if (admission.length === 0 || !(await this.#authority.receiveAdmission(admission))) return;
    const credentials = encodePairContent({ kind: 'credentials', admission });
    for (const other of this.#options.peers()) if (!other.creator) await this.#options.sendToPeer(other, credentials);
    this.#options.onChange();
  }

  /** A member shows somebody's word for itself. */
  async receiveCredentials(peer: Peer, admission: Bytes): Promise<void> {
    if (peer.attested || !(await this.#authority.attests(peer.identityKey, admission))) return;
    peer.attested = true;
    await this.meet(peer);
    this.#options.onChange();
  }

  /** A newer policy, from whomever: the creator's signature counts. */
  async receivePolicy(policy: Bytes): Promise<void> {
    if (await this.#authority.learn(policy)) await this.#decided();
  }

  /** A newer order about who comes in, from whomever: its signature counts. */
  async receiveLock(order: Bytes): Promise<void> {
    if (await this.#authority.learnLock(order)) await this.#decided();
  }

  async #decided(): Promise<void> {
    for (const peer of this.#options.peers()) await this.trust(peer);
    this.#options.tell('policy', undefined);
    this.#options.onChange();
  }

  /** Gives our word for a member; the member shows it to the others. */
  async #vouch(peer: Peer): Promise<void> {
    peer.vouched = peer.attested = true;
    const admission = await this.#authority.vouch(peer.identityKey);
    await this.#options.sendToPeer(peer, encodePairContent({ kind: 'admission', admission }));
  }

  async #everyone(content: Bytes): Promise<void> {
    for (const peer of this.#options.peers()) await this.#options.sendToPeer(peer, content);
  }

  #peer(id: string): Peer {
    const peer = this.#options.peers().find((candidate) => candidate.id === id);
    if (!peer) throw new QsecError('PEER_GONE', 'This member is not here any more.');
    return peer;
  }
}
