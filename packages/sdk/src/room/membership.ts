import { QsecError } from '../errors.ts';
import type { KeySource } from '../key-source/types.ts';
import { DEFAULTS } from '../options.ts';
import { encodePairContent, type PairContent } from '../protocol/content.ts';
import { encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { fingerprint } from '../protocol/identity.ts';
import { PairChannel } from '../protocol/pair-channel.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import { type AgreementPolicy, decodeMemberPolicy } from '../protocol/policy.ts';
import { chainBounds, SkippedKeys } from '../protocol/ratchet.ts';
import { safetyNumber } from '../protocol/safety-number.ts';
import { ReceiverKey, rosterHash, type SenderKey } from '../protocol/sender-key.ts';
import { type Between, differenceIn, encodeVersions } from '../protocol/versions.ts';
import { type Bytes, compareBytes, equalBytes, fromBase64url, type Joined, MAX_CAPACITY, toBase64url } from '../wire/index.ts';
import { Admissions } from './admissions.ts';
import { AgreementEvents } from './agreement-events.ts';
import type { Authority } from './authority.ts';
import type { RoomContext } from './context.ts';
import { Doubts } from './doubts.ts';
import { forgetOldest } from './forget-oldest.ts';
import { identityChanged } from './identity-change.ts';
import { Introductions, type IntroductionsOptions } from './introductions.ts';
import { OtherVersions } from './other-versions.ts';
import { OwnEpochs } from './own-epochs.ts';
import { Peer } from './peer.ts';
import type { Place } from './place.ts';
import { canRehearse, rehearse } from './rehearsal.ts';
import { RekeySchedule } from './rekey-schedule.ts';
import { Rekeys } from './rekeys.ts';
import type { KnownMember } from './remembered-member.ts';
import { sameName } from './same-name.ts';
import { cleanName } from './text.ts';
import type { SecurityEvent, SecurityStatus } from './types.ts';

/** A seat whose owner has not begun a handshake by then is approached by us. */
const APPROACH_AFTER_MS = 3_000;
/** How long a relay waits for who is away, unless it says otherwise. */
const DEFAULT_RETENTION_MS = 600_000;

/** Seats that are followed: those of a full room, and as many whose owners are leaving or coming. */
const MAX_SEATS = 2 * MAX_CAPACITY;

const unanswered = () =>
  new QsecError(
    'TIMEOUT',
    'Keys could not be agreed with somebody who came: no handshake ended in time. It goes on being tried.',
  );

export interface MembershipOptions {
  agreement: AgreementPolicy;
  keySource: KeySource;
  authority: Authority;
  /** Number of the first message that a member may still get from us. */
  firstFor(member: string): number;
  /** A member is here whom we may have met before. */
  recall(peer: Peer): void;
  /** Whom a person would take a member of this name for, if not for itself. */
  holderOf(name: string, id: string): KnownMember | undefined;
  /** What is known of an identity that was a member here before. */
  known(id: string): KnownMember | undefined;
  /** What a member said before a person accepted its identity may be opened. */
  onAccepted(peer: Peer): Promise<void>;
  onSecured(peer: Peer): Promise<void>;
  /** The owner of a seat is let in, before anything goes to it. */
  onLetIn(seat: string, peer: Peer): void;
  /** The owner of a seat is not about to become a member any more. */
  onReleased(seat: string): void;
  onRemoved(peer: Peer): void;
  /** Something that the room's state depends on changed. */
  onChange(): void;
}

/** Who is in the room: the seats the relay names, the members behind them whose keys are confirmed, and our epochs for them. */
export class Membership {
  readonly #context: RoomContext;
  readonly #options: MembershipOptions;
  #introductions: Introductions;
  readonly #agreements: AgreementEvents;
  readonly admissions: Admissions;
  readonly epochs: OwnEpochs;
  readonly #rekeys: Rekeys;
  readonly #schedule = new RekeySchedule();
  /** Members with confirmed keys by seat, in the order they came. */
  readonly #peers = new Map<string, Peer>();
  /** Seats that are taken, and whether their owners are connected. */
  readonly #seats = new Map<string, 'present' | 'away'>();
  readonly #approaches = new Map<string, ReturnType<typeof setTimeout>>();
  /** Seats whose key agreement was refused, and why. */
  readonly #failures = new Map<string, QsecError>();
  /** Seats whose owners could not show the creator's policy, as we could not: tried again once we can. */
  readonly #postponed = new Set<string>();
  /** Seats whose owners may have newer keys with us than we have with them: we begin again. */
  readonly #unfinished = new Set<string>();
  readonly #doubts = new Doubts((seat) => this.#context.enqueue(() => this.#beginAgain(seat)));
  readonly #authority: Authority;
  /** Members whom the relay forgot, and when we give them up. */
  readonly #stranded = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #skipped = new SkippedKeys();
  readonly #others = new OtherVersions();
  readonly #ownFingerprint: Bytes;
  #rosterChangedAt = 0;
  #joined = false;
  #destroyed = false;

  constructor(context: RoomContext, options: MembershipOptions) {
    const { identity, events } = context;
    this.#context = context;
    this.#options = options;
    this.#authority = options.authority;
    this.#ownFingerprint = fingerprint(identity.publicKey);
    this.#agreements = new AgreementEvents({
      events,
      threshold: options.agreement.threshold,
      nameOf: (at) => this.#peers.get(at)?.name,
    });
    this.#introductions = this.#introduce();
    // Whoever comes by a link begins a handshake with those who are there.
    if (!context.me.creator) this.#introductions.prepare();
    this.admissions = new Admissions({
      authority: options.authority,
      peers: () => this.peers,
      sendToPeer: (peer, content) => this.sendToPeer(peer, content),
      enqueue: (task) => context.enqueue(task),
      onTrusted: (peer) => this.#trusted(peer),
      onDistrusted: () => this.epochs.rosterChanged(),
      onChanged: (peer) => this.#changedIdentity(peer),
      onChange: () => {
        this.#changed();
        options.onChange();
      },
      tell: (kind, peer) => this.tell(kind, peer),
      fail: (error) => events.emit('error', error),
    });
    this.epochs = new OwnEpochs({
      roomId: context.invite.roomId,
      identity: identity.publicKey,
      rosterHash: () => this.rosterHash(),
      announce: (key) => this.#announce(key),
      enqueue: (task) => context.enqueue(task),
    });
    this.#rekeys = new Rekeys({
      agreement: options.agreement,
      keySource: options.keySource,
      peers: () => this.audience,
      sendToPeer: (peer, content) => this.sendToPeer(peer, content),
      enqueue: (task) => context.enqueue(task),
      onStage: (peer, stage) => {
        if (peer.trusted) this.#agreements.stage(peer.seat, stage);
      },
      onRekeyed: (peer, refusal) => this.#rekeyed(peer, refusal),
      onFailed: (peer, error, asked) => {
        this.tell('rekey-failed', peer);
        if (!asked) events.emit('error', error);
      },
      onSwept: () => this.epochs.renew(),
    });
  }

  get peers(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  /** Whether newcomers have to be let in. */
  get selective(): boolean {
    return this.#authority.selective;
  }

  /** The members who get what we send. */
  get audience(): readonly Peer[] {
    return this.peers.filter(({ trusted }) => trusted);
  }

  /** Seats of those who came and with whom no keys are confirmed yet, unless the key agreement was refused. */
  get expected(): readonly string[] {
    return [...this.#seats.keys()].filter((seat) => !this.#peers.has(seat) && !this.#failures.has(seat));
  }

  /** Whether a key agreement is under way, or about to begin with someone who just came. */
  get agreeing(): boolean {
    return this.#introductions.count > 0 || this.#approaches.size > 0;
  }

  /** Why nothing can be sent: a person has to decide about a member first, or a key agreement was refused. */
  get failure(): QsecError | undefined {
    return this.identityChange ?? [...this.#failures.values()][0];
  }

  /** Set while a person has to decide about a member that seems to be another one. Somebody who is not let in holds nothing up. */
  get identityChange(): QsecError | undefined {
    const changed = this.peers.find(({ changedFrom, waiting }) => changedFrom && !waiting);
    return changed && identityChanged(changed);
  }

  get security(): SecurityStatus {
    const members = this.peers.filter(({ waiting }) => !waiting);
    return {
      suite: 'X-Wing (ML-KEM-768 + X25519), Ed25519, AES-256-GCM',
      provenance: members.find(({ report }) => report)?.report?.provenance,
      epoch: this.epochs.number,
      agreedAt: this.epochs.startedAt,
      verified: members.length > 0 && members.every(({ verified }) => verified),
    };
  }

  get ownFingerprint(): Bytes {
    return this.#ownFingerprint;
  }

  /** When the roster last changed, milliseconds since 1970. */
  get rosterChangedAt(): number {
    return this.#rosterChangedAt;
  }

  /** Tells the application about its security. */
  tell(kind: SecurityEvent['kind'], member: Peer | undefined, before?: KnownMember): void {
    this.#context.events.emit('security', { kind, ...(member && { member }), ...(before && { before }), status: this.security });
  }

  peerAt(seat: string): Peer | undefined {
    return this.#peers.get(seat);
  }

  /** Whether the owner of a seat is connected where the room is at present, or was a moment ago. */
  isHere(seat: string): boolean {
    return this.#seats.has(seat) && !this.#stranded.has(seat);
  }

  /** The relay gave us our seat, the first time or again, and named the others. */
  async up({ members, renewed }: Joined & { renewed: boolean }): Promise<void> {
    const first = !this.#joined;
    this.#joined = true;
    const named = new Set(members.map(({ seat }) => seat));
    for (const seat of [...this.#seats.keys()].filter((known) => !named.has(known))) {
      // Of who has not come to this place yet the relay knows nothing: it is waited for as before.
      if (this.#stranded.has(seat)) continue;
      // A relay that lost the room does not know who was in it: they are on their way back, as we were.
      if (renewed && this.#peers.has(seat)) await this.#strand(seat);
      else await this.presence(seat, 'gone');
    }
    for (const { seat, presence } of members) {
      if (first && presence === 'present' && !this.isOwn(seat)) {
        this.#seats.set(seat, 'present');
        await this.#initiate(seat);
      } else await this.presence(seat, presence);
    }
    if (first && this.#seats.size === 0 && canRehearse()) this.#rehearse();
  }

  /** Nobody is here yet: time to get ready for the first who comes. */
  #rehearse(): void {
    const { agreement } = this.#options;
    // A handshake that fails with nobody would fail with everybody.
    rehearse(agreement, () => this.#seats.size > 0 || this.#destroyed).catch((error: unknown) => this.#context.fault(error));
  }

  /** Waits for a member whom the relay forgot, as long as the relay would have. */
  async #strand(seat: string): Promise<void> {
    await this.presence(seat, 'away');
    const timer = setTimeout(() => {
      this.#stranded.delete(seat);
      this.#context.enqueue(() => this.presence(seat, 'gone'));
    }, this.#context.session.limits?.retentionMs ?? DEFAULT_RETENTION_MS);
    clearTimeout(this.#stranded.get(seat));
    this.#stranded.set(seat, timer);
  }

  /** A member whom the relay forgot is back: what was on its way to it then is gone, keys and messages. */
  async #rescue(seat: string, peer: Peer): Promise<void> {
    clearTimeout(this.#stranded.get(seat));
    if (!this.#stranded.delete(seat)) return;
    await this.admissions.meet(peer);
    if (!peer.trusted) return;
    await this.epochs.rosterChanged();
    await this.#options.onSecured(peer);
  }

  async presence(seat: string, presence: 'present' | 'away' | 'gone'): Promise<void> {
    if (this.isOwn(seat)) return;
    // A relay that names seats without end makes us remember no more of them than could ever be taken.
    if (!this.#seats.has(seat) && this.#seats.size >= MAX_SEATS) return;
    const peer = this.#peers.get(seat);
    if (presence === 'gone') {
      await this.gone(seat);
    } else {
      this.#seats.set(seat, presence);
      if (peer) {
        this.#setPresence(peer, presence);
        if (presence === 'present') {
          await this.#rescue(seat, peer);
          this.#rekeys.renewals.present(peer);
        }
      }
      if (presence === 'present' && this.#isOpen(seat)) this.#approachLater(seat);
    }
    this.#options.onChange();
  }

  /** A seat was given up, as the relay says or its member itself, or its member was removed. */
  async gone(seat: string): Promise<void> {
    this.#seats.delete(seat);
    this.#failures.delete(seat);
    this.#postponed.delete(seat);
    this.#unfinished.delete(seat);
    this.#others.forget(seat);
    this.#doubts.settle(seat);
    this.#cancelApproach(seat);
    clearTimeout(this.#stranded.get(seat));
    this.#stranded.delete(seat);
    this.#introductions.drop(fromBase64url(seat));
    this.#options.onReleased(seat);
    const peer = this.#peers.get(seat);
    if (!peer) return;
    this.#peers.delete(seat);
    peer.presence = 'gone';
    peer.destroy();
    this.#rekeys.forget(peer);
    this.admissions.forget(peer);
    this.#options.onRemoved(peer);
    this.#context.session.report('key-destroyed');
    this.#changed();
    this.tell('key-destroyed', peer);
    if (peer.trusted && this.audience.length > 0) await this.epochs.rosterChanged();
    this.#options.onChange();
  }

  /** The room goes on at another place: there everyone is waited for, as after a relay forgot who was here. */
  async moved(): Promise<void> {
    this.#introductions.close();
    this.#introductions = this.#introduce();
    for (const seat of [...this.#approaches.keys()]) this.#cancelApproach(seat);
    this.#failures.clear();
    this.#postponed.clear();
    this.#unfinished.clear();
    for (const seat of [...this.#seats.keys()]) {
      if (this.#peers.has(seat)) await this.#strand(seat);
      else {
        this.#seats.delete(seat);
        this.#options.onReleased(seat);
      }
    }
  }

  /** A member shook hands at a place that we left: at the present one it is still waited for. */
  async securedBehind(seat: Bytes, secrets: PairSecrets): Promise<void> {
    const key = toBase64url(seat);
    await this.#secured(seat, secrets);
    if (this.#seats.get(key) !== 'present') await this.#strand(key);
  }

  /** Handshakes at a place; what is left open says who may shake hands there and what follows. */
  introduce(
    { invite, psk }: Place,
    hooks: Pick<
      IntroductionsOptions,
      'send' | 'accept' | 'onSecured' | 'onFailed' | 'onSilent' | 'onUnanswered' | 'onUnfinished' | 'isPresent'
    >,
  ): Introductions {
    const { identity, seat, enqueue, me } = this.#context;
    const { agreement, keySource, onChange } = this.#options;
    return new Introductions({
      invite,
      psk,
      identity,
      seat,
      agreement,
      keySource,
      demands: () => this.#authority.demands(me.name),
      enqueue,
      onStage: (from, stage) => this.#agreements.stage(from, stage),
      onChange,
      ...hooks,
    });
  }

  /** The owner of a seat used keys that we share, or others. */
  doubt(seat: string, doubtful: boolean): void {
    if (doubtful) this.#doubts.raise(seat);
    else this.#doubts.settle(seat);
  }

  async #beginAgain(seat: string): Promise<void> {
    if (this.#seats.get(seat) !== 'present') return;
    this.#unfinished.add(seat);
    await this.#initiate(seat);
  }

  /** Something from a seat is of another version, or was changed on the way: its owner is asked, and nothing else changes. */
  askVersions(seat: string): void {
    if (this.#others.mayAnswer(seat))
      this.#context.push(encodeVersions(this.#between(this.#context.seat, fromBase64url(seat))), [fromBase64url(seat)]);
  }

  /** @throws {QsecError} `HANDSHAKE_FAILED` when it is not from the owner of the seat, or anybody else who has the link */
  receiveVersions(seat: string, content: Bytes): void {
    const difference = differenceIn(content, this.#between(fromBase64url(seat), this.#context.seat));
    if (difference) this.speaksOtherwise(seat, difference);
  }

  /**
   * The owner of a seat speaks another version, as they say, or proved. Whoever shares keys with us keeps them: the word is anybody's. A handshake
   * ends, as it does when a relay carries nothing of it.
   */
  speaksOtherwise(seat: string, difference: QsecError): void {
    if (this.#peers.has(seat)) {
      if (!this.#others.tell(seat)) return;
      this.askVersions(seat);
      this.#context.events.emit('error', difference);
      return;
    }
    if (this.#failures.get(seat)?.code === difference.code) return;
    this.askVersions(seat);
    this.#cancelApproach(seat);
    this.#introductions.drop(fromBase64url(seat));
    this.#failed(fromBase64url(seat), difference);
  }

  #between(from: Bytes, to: Bytes): Between {
    return { psk: this.#context.place.psk, from, to };
  }

  /** Takes the content of a handshake frame. */
  async receiveHandshake(seat: string, content: Bytes): Promise<void> {
    const key = fromBase64url(seat);
    const idle = !this.#introductions.isPending(key);
    await this.#introductions.receive(key, content);
    if (!idle || !this.#introductions.isPending(key)) return;
    this.#cancelApproach(seat);
    this.#failures.delete(seat);
    this.#context.session.report('key-agreement-started');
    this.#options.onChange();
  }

  async receiveSenderKey(peer: Peer, { announcement, name }: Extract<PairContent, { kind: 'sender-key' }>): Promise<void> {
    const { roomId } = this.#context.invite;
    peer.addReceiverKey(await ReceiverKey.create(roomId, peer.identityKey, announcement, peer.channel.bounds));
    this.rename(peer, name);
  }

  rename(peer: Peer, name: string): void {
    if (!peer.trusted) {
      peer.nextName = name;
      return;
    }
    const before = peer.name;
    peer.name = cleanName(name, DEFAULTS.name);
    this.#nameAgain(peer, before);
    if (peer.name !== before) this.#changed();
  }

  /** Nobody who has been here becomes by another name whom a person takes for somebody else: the name `before` stays then. */
  #nameAgain(peer: Peer, before: string): void {
    if (!sameName(peer.name, before) && this.#options.holderOf(peer.name, peer.id)) peer.name = before;
  }

  async sendToPeer(peer: Peer, content: Bytes): Promise<void> {
    this.#context.push(encodeFrame(FRAME_TYPE.pair, await peer.channel.seal(content)), [peer.seat]);
  }

  /** New roots for every pair, and a new sender key of ours after them. @returns see {@link Renewals.call} */
  rekey(): Promise<{ done: Promise<void> }> {
    this.#schedule.restart('full');
    return this.#rekeys.renewals.call(true);
  }

  receiveRekeying(peer: Peer, payload: Bytes): Promise<void> {
    return this.#rekeys.receive(peer, payload);
  }

  receiveRekeyRequest(peer: Peer, full: boolean): Promise<void> {
    return this.#rekeys.receiveRequest(peer, full);
  }

  /** A message was sent or received: enough of them make a rekeying due. */
  countMessage(): void {
    const due = this.#schedule.message();
    if (!due) return;
    this.#schedule.restart(due);
    this.#context.enqueue(() => this.#rekeys.renewals.sweep(due === 'full'));
  }

  /** Starts again with everyone whose key agreement was refused. */
  retry(): void {
    const seats = [...this.#failures.keys()].filter((seat) => this.#seats.has(seat));
    this.#failures.clear();
    for (const seat of seats) this.#context.enqueue(() => this.#initiate(seat));
    this.#options.onChange();
  }

  isOwn(seat: string): boolean {
    return seat === toBase64url(this.#context.seat);
  }

  /** Overwrites every key. */
  destroy(): void {
    this.#destroyed = true;
    this.#introductions.close();
    this.#doubts.close();
    this.#rekeys.close();
    this.admissions.close();
    this.epochs.destroy();
    for (const timer of [...this.#approaches.values(), ...this.#stranded.values()]) clearTimeout(timer);
    for (const peer of this.#peers.values()) peer.destroy();
    this.#peers.clear();
  }

  #introduce(): Introductions {
    return this.introduce(this.#context.place, {
      send: (to, frame) => this.#context.push(frame, [to]),
      accept: async (from, peer) => {
        const others = [...this.#peers].filter(([key]) => key !== toBase64url(from)).map(([, { identityKey }]) => identityKey);
        await this.#authority.admit(peer, [...others, ...this.#introductions.proving]);
        // Also what we learn of who never becomes a member: nobody else may be left who knows the room's policy.
        void this.#context.keeping.room();
      },
      onSecured: (from, secrets) => this.#secured(from, secrets),
      onFailed: (from, error) => {
        if (error.code === 'VERSION_MISMATCH') this.speaksOtherwise(toBase64url(from), error);
        else this.#failed(from, error);
      },
      onSilent: (from) => this.#approachLater(toBase64url(from)),
      onUnanswered: () => this.#context.events.emit('error', unanswered()),
      onUnfinished: (from) => {
        this.#unfinished.add(toBase64url(from));
        forgetOldest(this.#unfinished, MAX_SEATS);
        this.#approachLater(toBase64url(from));
      },
      isPresent: (at) => this.#seats.get(toBase64url(at)) === 'present',
    });
  }

  /** Tells a member of our present epoch once more. */
  async announceAgain(peer: Peer): Promise<void> {
    await this.#announceTo(peer, await this.epochs.current());
  }

  async #initiate(seat: string): Promise<void> {
    this.#context.session.report('key-agreement-started');
    await this.#introductions.initiate(fromBase64url(seat));
  }

  /** Who comes begins. Should nothing arrive from a newcomer, we begin. */
  #approachLater(seat: string): void {
    if (this.#approaches.has(seat) || this.#approaches.size >= MAX_SEATS) return;
    const timer = setTimeout(() => {
      this.#approaches.delete(seat);
      this.#context.enqueue(async () => {
        const idle = this.#isOpen(seat) && !this.#failures.has(seat) && this.#seats.get(seat) === 'present';
        if (idle) await this.#initiate(seat);
        this.#options.onChange();
      });
    }, APPROACH_AFTER_MS);
    this.#approaches.set(seat, timer);
  }

  /** Whether we share no keys with the owner of a seat, or outdated ones. */
  #isOpen(seat: string): boolean {
    return !this.#peers.has(seat) || this.#unfinished.has(seat);
  }

  #cancelApproach(seat: string): void {
    clearTimeout(this.#approaches.get(seat));
    this.#approaches.delete(seat);
  }

  async #secured(seat: Bytes, secrets: PairSecrets): Promise<void> {
    const { invite, identity: own, session } = this.#context;
    const key = toBase64url(seat);
    const { identity } = secrets.peer;
    const print = fingerprint(identity);
    const theirs = decodeMemberPolicy(secrets.peer.policy);
    const { agreement, admission, name } = theirs;
    const peer = new Peer({
      seat: seat.slice(),
      identity,
      fingerprint: print,
      creator: equalBytes(print, invite.creator),
      attested: await this.#authority.attests(identity, admission),
      name: cleanName(name, DEFAULTS.name),
      safetyNumber: () => safetyNumber(invite.roomId, own.publicKey, identity),
      sas: secrets.sas,
      report: secrets.report,
      channel: new PairChannel(invite.roomId, secrets, chainBounds(this.#skipped)),
      agreement,
      isLetIn: (member) => this.admissions.isLetIn(member),
      onAccepted: (member) => this.#accepted(member),
      onVerified: (member) => {
        if (!member.changedFrom) this.#options.recall(member);
        this.#changed();
        this.tell('member-verified', member);
      },
    });
    this.#unfinished.delete(key);
    this.#others.forget(key);
    this.#failures.delete(key);
    this.#doubts.settle(key);
    const displaced = this.#replaceEarlier(key, peer);
    const known = this.#options.known(peer.id);
    const holder = known ? undefined : this.#options.holderOf(peer.name, peer.id);
    // Of an identity that was here before, what a person decided about it holds.
    if (known) this.#nameAgain(peer, known.name);
    else peer.changedFrom ??= displaced ?? (holder?.verified ? holder : undefined);
    if (known && !peer.changedFrom) this.#options.recall(peer);
    peer.presence = this.#seats.get(key) ?? 'present';
    this.#peers.set(key, peer);
    session.report('key-agreement-finished');
    this.#agreements.conclude(seat, 'confirmed', secrets.report ?? {});
    this.tell('member-secured', peer);
    await this.admissions.meet(peer);
    // What was sent before somebody is let in is not for them.
    if (!peer.trusted) this.#options.onReleased(key);
    await this.admissions.catchUp(peer, decodeMemberPolicy(secrets.shown), theirs);
    this.#changed();
    if (!peer.attested && !peer.waiting) this.tell('unattested', peer);
    if (this.#authority.policy) this.#resumePostponed();
    this.#options.onChange();
  }

  /** A member is let in: it gets our sender keys, and what it has not confirmed. */
  async #trusted(peer: Peer): Promise<void> {
    if (!this.#options.known(peer.id)) {
      const holder = this.#options.holderOf(peer.name, peer.id);
      if (holder) this.tell('known-name', peer, holder);
    }
    this.#options.recall(peer);
    if (peer.nextName !== undefined) this.rename(peer, peer.nextName);
    this.#options.onLetIn(toBase64url(peer.seat), peer);
    await this.epochs.rosterChanged();
    await this.#options.onSecured(peer);
  }

  /** Somebody is a member now who seems to be another one: told once, then it waits for the person. */
  #changedIdentity(peer: Peer): void {
    if (peer.changeTold) return;
    peer.changeTold = true;
    this.tell('identity-changed', peer, peer.changedFrom);
    this.#options.onChange();
  }

  /** A person goes on with a member who seemed to be another one. */
  #accepted(peer: Peer): void {
    if (this.#destroyed || this.peerAt(toBase64url(peer.seat)) !== peer) return;
    this.#options.recall(peer);
    this.#changed();
    this.#options.onChange();
    this.#context.enqueue(async () => {
      await this.admissions.meet(peer);
      await this.#options.onAccepted(peer);
      this.#options.onChange();
    });
  }

  #resumePostponed(): void {
    for (const seat of this.#postponed) {
      if (this.#seats.get(seat) === 'present') this.#context.enqueue(() => this.#initiate(seat));
    }
    this.#postponed.clear();
  }

  /** A new session of an identity takes the place of its old one. Returns who held its seat, if that was another identity, which inherits nothing. */
  #replaceEarlier(key: string, peer: Peer): Peer | undefined {
    const earlier = this.peers.find(({ id }) => id === peer.id);
    const displaced = this.#peers.get(key);
    for (const old of new Set([earlier, displaced])) {
      if (!old) continue;
      this.#peers.delete(toBase64url(old.seat));
      this.#rekeys.forget(old);
      old.destroy();
    }
    if (earlier) peer.inherit(earlier);
    return displaced === earlier ? undefined : displaced;
  }

  #failed(seat: Bytes, error: QsecError): void {
    if (error.code === 'NOT_ADMITTED' && !this.#authority.policy) {
      this.#postponed.add(toBase64url(seat));
      forgetOldest(this.#postponed, MAX_SEATS);
      return;
    }
    this.#failures.set(toBase64url(seat), error);
    forgetOldest(this.#failures, MAX_SEATS);
    this.#context.session.report('key-agreement-aborted');
    this.#agreements.conclude(seat, 'aborted', {}, error);
    this.#context.events.emit('error', error);
    this.#options.onChange();
  }

  #rekeyed(peer: Peer, refusal: QsecError | undefined): void {
    this.#schedule.restart('light');
    if (!peer.trusted) return;
    const { seat } = peer;
    if (this.#agreements.isUnderWay(seat)) {
      this.#agreements.conclude(seat, refusal ? 'aborted' : 'confirmed', refusal ? {} : (peer.report ?? {}), refusal);
    }
    if (refusal) this.#context.events.emit('error', refusal);
    this.tell('rekeyed', peer);
  }

  async #announce(key: SenderKey): Promise<void> {
    this.#rosterChangedAt = Date.now();
    for (const peer of this.audience) await this.#announceTo(peer, key);
    this.tell('epoch', undefined);
  }

  async #announceTo(peer: Peer, { announcement }: SenderKey): Promise<void> {
    const first = this.#options.firstFor(peer.id);
    await this.sendToPeer(peer, encodePairContent({ kind: 'sender-key', announcement, name: this.#context.me.name, first }));
  }

  #setPresence(peer: Peer, presence: 'present' | 'away'): void {
    if (peer.presence === presence) return;
    peer.presence = presence;
    this.#changed();
  }

  /** Who we believe is in the room, as one hash. */
  rosterHash(): Bytes {
    const identities = [this.#context.identity.publicKey, ...this.audience.map(({ identityKey }) => identityKey)];
    return rosterHash(this.#context.invite.generation, identities.sort(compareBytes));
  }

  #changed(): void {
    this.#context.events.emit('members', this.peers);
  }
}
