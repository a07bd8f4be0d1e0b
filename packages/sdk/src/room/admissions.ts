import { QsecError } from '../errors.ts';
import { encodePairContent, orderName } from '../protocol/content.ts';
import { fingerprint } from '../protocol/identity.ts';
import { RIGHTS, type Right } from '../protocol/orders.ts';
import type { MemberPolicy } from '../protocol/policy.ts';
import { type Bytes, equalBytes, MIN_CAPACITY } from '../wire/index.ts';
import type { Authority } from './authority.ts';
import { Confirmations, type Deciding, type Sent } from './confirmations.ts';
import { identityChanged } from './identity-change.ts';
import { type Order, OrderPost } from './order-post.ts';
import type { Peer } from './peer.ts';
import { hex } from './text.ts';
import type { SecurityEvent } from './types.ts';

export interface AdmissionsOptions {
  authority: Authority;
  /** Members with confirmed keys, let in or not. */
  peers(): readonly Peer[];
  sendToPeer(peer: Peer, content: Bytes): Promise<void>;
  enqueue(task: () => Promise<void>): void;
  /** Our sender keys go to this member from now on, and what it says is taken. */
  onTrusted(peer: Peer): Promise<void>;
  /** Our sender keys go to a member no more. */
  onDistrusted(): Promise<void>;
  /** A member is let in that seems to be another one: the person has to decide. */
  onChanged(peer: Peer): void;
  /** What is shown of members changed, or what follows from it. */
  onChange(): void;
  tell(kind: SecurityEvent['kind'], member: Peer | undefined): void;
  /** What went wrong without a call of the application's to reject. */
  fail(error: QsecError): void;
}

/** Who among those with confirmed keys is let in: the word of the creator or a delegate for each, and the orders that decide about it. */
export class Admissions {
  readonly #options: AdmissionsOptions;
  readonly #authority: Authority;
  readonly #post: OrderPost;
  readonly confirmations = new Confirmations();
  /** Whether it was told that nobody is here who may let newcomers in. */
  #unruled = false;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
    this.#authority = options.authority;
    this.#post = new OrderPost(options);
  }

  /** Keys with a member are confirmed, and it has shown whose word it has. */
  async meet(peer: Peer): Promise<void> {
    await this.#review();
    if (peer.changedFrom) return this.trust(peer);
    const { isCreator, selective } = this.#authority;
    // The creator's own word goes on to hold when a delegate's does not.
    const due = isCreator ? !selective || peer.attested : !selective && !peer.attested && this.#authority.may('approve');
    // Who was let in by us before may have lost our word.
    if ((due || (peer.vouched && this.#authority.may('approve'))) && !peer.creator) await this.#vouch(peer);
    await this.#post.welcome(peer);
    await this.trust(peer);
  }

  /**
   * Tells a member what was decided since our part of the handshake with it was written, as far as it has not shown that it knows. Our own
   * admission goes out again where newcomers are let in: the member may not know yet who gave it.
   */
  async catchUp(peer: Peer, shown: MemberPolicy, theirs: MemberPolicy): Promise<void> {
    const { policy, lock, admission, selective } = this.#authority;
    const news = (now: Bytes | undefined, kind: 'room' | 'lock') =>
      now !== undefined && !equalBytes(now, shown[kind]) && !equalBytes(now, theirs[kind]);
    if (policy && news(policy.encoded, 'room')) await this.#post.send(peer, { kind: 'policy', policy: policy.encoded });
    if (lock && news(lock.encoded, 'lock')) await this.#post.send(peer, { kind: 'lock', order: lock.encoded });
    if (admission.length === 0 || this.#knows(peer, admission)) return;
    if (selective || !equalBytes(admission, shown.admission)) await this.#post.send(peer, { kind: 'credentials', admission });
  }

  /** Whether a member may be talked with: by somebody's word, ours included, or because everybody may. */
  isLetIn({ vouched, attested }: Peer): boolean {
    return vouched || attested || !this.#authority.selective;
  }

  /** Shares our sender keys with a member, if the room's policy allows that. */
  async trust(peer: Peer): Promise<void> {
    if (peer.trusted || !this.isLetIn(peer)) return;
    if (peer.changedFrom) return this.#options.onChanged(peer);
    peer.trusted = true;
    await this.#options.onTrusted(peer);
  }

  /** Lets a member in who waits for it. @throws {QsecError} `NO_ADMIN`, `PEER_GONE`, `IDENTITY_CHANGED` */
  async approve(id: string): Promise<void> {
    if (!this.#authority.may('approve')) {
      throw new QsecError('NO_ADMIN', 'Only who made the room, or got the right from them, can let somebody in.');
    }
    const peer = this.#peer(id);
    if (peer.changedFrom) throw identityChanged(peer);
    if (!peer.vouched) await this.#vouch(peer);
    await this.trust(peer);
    this.#options.onChange();
  }

  /** Locks the room or opens it, and tells everyone. @throws {QsecError} `NO_ADMIN` */
  async lock(locked: boolean): Promise<Deciding> {
    const order = await this.#authority.order(locked);
    const sent = await this.#everyone({ kind: 'lock', order });
    await this.#decided();
    return this.#deciding(sent);
  }

  /** Whether the others would be left with nobody who may decide if we, who made the room, were gone. In a room for two nobody else can come. */
  get needsDelegate(): boolean {
    const { isCreator, policy } = this.#authority;
    if (!isCreator || (policy?.capacity ?? MIN_CAPACITY) <= MIN_CAPACITY) return false;
    const staying = this.#options.peers().filter(({ trusted }) => trusted);
    return staying.length > 0 && !staying.some(({ identityKey }) => this.#authority.may('approve', identityKey));
  }

  /**
   * Gives a member every right, and waits until it knows: who hands the room over will not be there to tell it again.
   * @throws {QsecError} `NO_ADMIN`, `PEER_GONE`
   */
  async handOver(id: string): Promise<{ confirmed: Promise<boolean> }> {
    const peer = this.#peer(id);
    if (peer.presence !== 'present' || !peer.trusted)
      throw new QsecError('PEER_GONE', `"${peer.name}" is not here to take over.`);
    const sent = await this.#give(peer.identityKey, RIGHTS);
    const { done } = this.#deciding(sent.filter(({ to }) => to === peer));
    return { confirmed: done.then(({ confirmed }) => confirmed.length > 0) };
  }

  /**
   * Gives a member rights, or takes them back, and tells everyone. A delegate need not be here.
   * @throws {QsecError} `NO_ADMIN`, `PEER_GONE`, `INVALID_ARGUMENT`
   */
  async delegate(id: string, rights: readonly Right[]): Promise<Deciding> {
    if (!rights.every((right) => RIGHTS.includes(right))) {
      throw new QsecError('INVALID_ARGUMENT', `"rights" expected some of ${RIGHTS.join(', ')}, got ${rights.join(', ')}`);
    }
    const absent = this.#authority.delegates.find(({ identity }) => hex(fingerprint(identity)) === id);
    return this.#deciding(await this.#give(absent?.identity ?? this.#peer(id).identityKey, rights));
  }

  /** Somebody was removed: what rests on it is signed anew, as far as that is for us to do, and told to everyone. */
  async disown(): Promise<void> {
    const { policy, lock } = await this.#authority.disown();
    if (policy) await this.#everyone({ kind: 'policy', policy });
    if (lock) await this.#everyone({ kind: 'lock', order: lock });
    if (policy || lock) await this.#decided();
  }

  /** A member sent an order. One that holds here is confirmed, each time: the first confirmation may have been lost. */
  async receive(from: Peer, order: Order): Promise<void> {
    if (!(await this.#obeys(from, order))) return;
    const names = [orderName(encodePairContent(order))];
    await this.#options.sendToPeer(from, encodePairContent({ kind: 'obeyed', names }));
  }

  /** A member confirms orders of ours. */
  receiveConfirmation(from: Peer, names: readonly Bytes[]): void {
    this.#post.confirmed(from, names);
    this.confirmations.confirmed(from, names);
  }

  /** Somebody let us in: those who know us show it to the others. Returns whether the word holds. */
  async receiveAdmission(admission: Bytes): Promise<boolean> {
    if (equalBytes(admission, this.#authority.admission)) return true;
    if (!(await this.#authority.receiveAdmission(admission))) return false;
    for (const other of this.#options.peers())
      if (!this.#knows(other, admission)) await this.#post.send(other, { kind: 'credentials', admission });
    this.#options.onChange();
    return true;
  }

  /** Tells, once, when newcomers have to be let in and nobody is here who may do it. @param settled whether all who are here are known */
  watch(settled: boolean): void {
    const { selective, policy, admitted } = this.#authority;
    const deciders = () => this.#options.peers().some(({ identityKey }) => this.#authority.may('approve', identityKey));
    const unruled = policy !== undefined && selective && !this.#authority.may('approve') && !deciders();
    if (unruled === this.#unruled || (unruled && !settled)) return;
    this.#unruled = unruled;
    if (!unruled) return;
    this.#options.tell('no-admin', undefined);
    if (!admitted) this.#options.fail(new QsecError('NO_ADMIN', 'Nobody is here who may let you in.'));
  }

  /** A member is gone: what it has not confirmed is told it again should it come back. */
  forget(peer: Peer): void {
    this.#post.forget(peer);
    this.confirmations.forget(peer);
  }

  close(): void {
    this.#post.close();
    this.confirmations.close();
  }

  /** Whether a word for us is this member's own, who made the room. */
  #knows(peer: Peer, admission: Bytes): boolean {
    return peer.creator && this.#authority.isCreatorsWord(admission);
  }

  async #obeys(from: Peer, order: Order): Promise<boolean> {
    switch (order.kind) {
      case 'admission':
        return this.receiveAdmission(order.admission);
      case 'credentials':
        return this.#receiveCredentials(from, order.admission);
      case 'policy':
        return this.#receivePolicy(order.policy);
      case 'lock':
        return this.#receiveLock(order.order);
    }
  }

  /** A member shows somebody's word for itself. */
  async #receiveCredentials(peer: Peer, admission: Bytes): Promise<boolean> {
    if (peer.attested) return true;
    // Of a delegate that we have not heard of yet: it comes again.
    if (!(await this.#authority.attests(peer.identityKey, admission))) return false;
    peer.attested = true;
    await this.meet(peer);
    this.#options.onChange();
    return true;
  }

  /** A newer policy, from whomever: the creator's signature counts. */
  async #receivePolicy(policy: Bytes): Promise<boolean> {
    if (!(await this.#authority.learn(policy))) return true;
    // Who made us a delegate may be gone before everyone knows.
    if (RIGHTS.some((right) => this.#authority.may(right))) {
      for (const other of this.#options.peers()) if (!other.creator) await this.#post.send(other, { kind: 'policy', policy });
    }
    await this.#decided();
    return true;
  }

  /** A newer order about who comes in, from whomever: its signature counts. */
  async #receiveLock(order: Bytes): Promise<boolean> {
    const learned = await this.#authority.learnLock(order);
    if (learned === 'new') {
      this.#post.superseded('lock');
      await this.#decided();
    }
    return learned !== 'refused';
  }

  /**
   * A newcomer learns that newcomers have to be let in: whom it took for a member before it knew may be none. Members go on with those
   * they know.
   */
  async #review(): Promise<void> {
    if (this.#authority.admitted) return;
    const strangers = this.#options.peers().filter((peer) => peer.trusted && !this.isLetIn(peer));
    for (const peer of strangers) peer.trusted = false;
    if (strangers.length > 0) await this.#options.onDistrusted();
  }

  async #decided(): Promise<void> {
    await this.#review();
    for (const peer of this.#options.peers()) await this.trust(peer);
    this.#options.tell('policy', undefined);
    this.#options.onChange();
  }

  /** Gives our word for a member; the member shows it to the others. */
  async #vouch(peer: Peer): Promise<void> {
    peer.vouched = peer.attested = true;
    const admission = await this.#authority.vouch(peer.identityKey);
    await this.#post.send(peer, { kind: 'admission', admission });
  }

  async #give(identity: Bytes, rights: readonly Right[]): Promise<Sent[]> {
    const { policy, lock } = await this.#authority.delegate(identity, rights);
    const sent = await this.#everyone({ kind: 'policy', policy });
    if (lock) await this.#everyone({ kind: 'lock', order: lock });
    await this.#decided();
    return sent;
  }

  async #everyone(order: Order): Promise<Sent[]> {
    const sent: Sent[] = [];
    for (const peer of this.#options.peers()) {
      sent.push({ to: peer, name: await this.#post.send(peer, order), here: peer.presence === 'present' });
    }
    return sent;
  }

  /** Who only asks to be let in is told, and not waited for. */
  #deciding(sent: readonly Sent[]): Deciding {
    return { done: this.confirmations.wait(sent.filter(({ to }) => to.trusted)) };
  }

  #peer(id: string): Peer {
    const peer = this.#options.peers().find((candidate) => candidate.id === id);
    if (!peer) throw new QsecError('PEER_GONE', 'This member is not here any more.');
    return peer;
  }
}
