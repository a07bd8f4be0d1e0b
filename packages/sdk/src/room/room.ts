import { QsecError, type QsecErrorCode } from '../errors.ts';
import { Emitter, type Listener, type ListenOptions } from '../events.ts';
import type { KeySource } from '../key-source/types.ts';
import type { Recording } from '../media/recorder/recorder.ts';
import type { FileSource } from '../media/source.ts';
import { DEFAULTS, type FileOptions, type Logger } from '../options.ts';
import { encodePairContent } from '../protocol/content.ts';
import { decodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import type { MessageBody } from '../protocol/group-content.ts';
import { fingerprint, type SigningKey } from '../protocol/identity.ts';
import type { Invite } from '../protocol/invite.ts';
import type { Right } from '../protocol/orders.ts';
import type { AgreementPolicy } from '../protocol/policy.ts';
import { KEPT_VERSION, type KeptRoom } from '../storage/kept.ts';
import type { RelaySessionEvents } from '../transport/relay-session.ts';
import { type Bytes, type Delivery, equalBytes, MIN_CAPACITY, toBase64url } from '../wire/index.ts';
import type { Amending } from './amendments.ts';
import { Authority } from './authority.ts';
import type { Deciding } from './confirmations.ts';
import type { RoomContext } from './context.ts';
import { Conversation, type Expected } from './conversation.ts';
import { Directory } from './directory.ts';
import { NOTICE_BYTES } from './doorkeeper.ts';
import type { Entry } from './entry.ts';
import { Files } from './files.ts';
import { Keeping } from './keeping.ts';
import { Membership } from './membership.ts';
import { MessageStream } from './message-stream.ts';
import { PairInbox } from './pair-inbox.ts';
import type { Peer } from './peer.ts';
import type { Place, Relocate } from './place.ts';
import { Refusals } from './refusals.ts';
import { RememberedMember } from './remembered-member.ts';
import { Removals, readStep } from './removals.ts';
import {
  checkedId,
  checkLeave,
  checkListen,
  checkListener,
  checkMember,
  checkName,
  checkReaction,
  checkRights,
  checkRoomEvent,
  checkSend,
  checkSendFile,
  checkSendVoice,
} from './room-arguments.ts';
import { SerialQueue } from './serial-queue.ts';
import { checkText, cleanName, groupsOfFour, hex } from './text.ts';
import type {
  Decided,
  LeaveOptions,
  Me,
  Member,
  Message,
  Room,
  RoomEvents,
  RoomPolicy,
  RoomState,
  SecurityStatus,
  SendFileOptions,
  SendOptions,
  SendVoiceOptions,
  SentAction,
  SentMessage,
} from './types.ts';

/** Frames that wait to be opened. Twice what a relay keeps of a room; what is dropped comes again from who sent it. */
const MAX_BACKLOG_BYTES = 64 * 2 ** 20;
/** What a frame takes besides its body while it waits, about: an empty one is somebody else's frame, too. */
const FRAME_BYTES = 64;

/** Of a task that ran when its member, or the room, was gone already. */
const MEANWHILE: ReadonlySet<QsecErrorCode> = new Set(['CLOSED']);
/** What is wrong with a frame that somebody else made. */
const REFUSALS: ReadonlySet<QsecErrorCode> = new Set([
  ...MEANWHILE,
  'HANDSHAKE_FAILED',
  'VERSION_MISMATCH',
  'RATE_LIMITED',
  'INVALID_ARGUMENT',
  'NOT_ADMITTED',
  'NO_ADMIN',
  'ROOM_FULL',
  'IDENTITY_CHANGED',
]);

/** How long a message waits, from when a key agreement began, to know whom it is for. */
const AGREEMENT_PATIENCE_MS = 15_000;

export interface RoomSessionOptions {
  entry: Entry;
  /** Where the room is at the relay. */
  place: Place;
  relocate: Relocate;
  agreement: AgreementPolicy;
  keySource: KeySource;
  files: FileOptions;
  logger: Logger;
}

/** The room as its application sees it, on top of one seat at a relay. One task at a time changes its state. */
export class RoomSession implements Room {
  readonly id: string;
  readonly me: { -readonly [K in keyof Me]: Me[K] };
  #place: Place;
  readonly #logger: Logger;
  readonly #events = new Emitter<RoomEvents>('error');
  readonly #queue = new SerialQueue();
  readonly #membership: Membership;
  readonly #conversation: Conversation;
  readonly #files: Files;
  readonly #authority: Authority;
  readonly #removals: Removals;
  readonly #inbox: PairInbox;
  readonly #keeping: Keeping;
  readonly #directory: Directory;
  readonly #refusals = new Refusals();
  readonly #streams = new Set<MessageStream<Message>>();
  #state: RoomState = 'connecting';
  #stateSince = Date.now();
  #joinedOnce = false;
  #closed = false;

  constructor({ entry, place, relocate, agreement, keySource, files, logger }: RoomSessionOptions) {
    const { invite, identity, seat, name, store } = entry;
    const print = fingerprint(identity.publicKey);
    this.id = hex(invite.roomId);
    this.#place = place;
    this.me = { id: hex(print), name, identity: groupsOfFour(hex(print)), creator: equalBytes(print, invite.creator) };
    this.#logger = logger;
    this.#keeping = new Keeping(store, () => this.#describe(entry));
    this.#directory = new Directory(this.#remembered(entry), (id) => this.#conversation.names(id));
    store?.begin((error) => this.#events.emit('error', error));
    const context = this.#context(identity, seat);
    const steps = (store?.kept?.room.steps ?? []).map(readStep);
    const removal = steps.find((step) => step.removal.generation === invite.generation)?.removal;
    const kept = store?.kept && { ...store.kept.room, lock: entry.lock, removal };
    this.#authority = new Authority(invite, identity, agreement, entry.policy, kept);
    this.#membership = new Membership(context, {
      agreement,
      keySource,
      authority: this.#authority,
      firstFor: (member) => this.#conversation.firstFor(member),
      recall: (peer) => this.#recall(peer),
      holderOf: (name, id) => this.#directory.holderOf(name, id),
      known: (id) => this.#directory.find(id),
      onAccepted: (peer) => this.#conversation.openWaiting(peer),
      onSecured: (peer) => this.#conversation.welcome(peer),
      onLetIn: (seat, peer) => this.#conversation.claim(seat, peer),
      onReleased: (seat) => this.#conversation.release(seat),
      onRemoved: (peer) => this.#conversation.forget(peer),
      onChange: () => this.#updateState(),
    });
    this.#files = new Files(context, files, (body, options) => this.#say(body, options));
    this.#conversation = new Conversation(context, this.#membership, this.#files, this.#directory);
    this.#removals = new Removals(context, {
      authority: this.#authority,
      membership: this.#membership,
      relocate,
      steps,
      onMoved: (to) => this.#moved(to),
      receive: (delivery, at) => this.#receive(delivery, at),
      onRemoved: () => this.#removed(),
      onOutdated: (from) => this.#outdated(from),
    });
    this.#inbox = new PairInbox({
      membership: this.#membership,
      conversation: this.#conversation,
      removals: this.#removals,
      logger,
    });
    this.#events.on('message', (message) => {
      for (const stream of this.#streams) stream.push(message);
    });
    const keep = () => void this.#keeping.room();
    this.#events.on('members', keep);
    this.#events.on('security', keep);
    this.#listen(place);
  }

  get invite(): Invite {
    return this.#place.invite;
  }

  get state(): RoomState {
    return this.#state;
  }

  get members(): readonly Member[] {
    return this.#membership.peers;
  }

  get policy(): RoomPolicy {
    const { name = '', capacity = MIN_CAPACITY, join = 'auto' } = this.#authority.policy ?? {};
    return {
      name: name || undefined,
      capacity,
      join,
      locked: this.#authority.locked,
      delegates: this.#authority.delegates.map(({ identity, rights }) => ({ id: hex(fingerprint(identity)), rights })),
    };
  }

  get security(): SecurityStatus {
    return this.#membership.security;
  }

  async send(text: string, options: SendOptions = {}): Promise<SentMessage> {
    checkText(text);
    checkSend(options);
    return this.#say({ kind: 'text', text }, options);
  }

  async edit(id: string, text: string): Promise<SentAction> {
    checkText(text);
    return this.#amend(id, { kind: 'edit', text });
  }

  remove(id: string): Promise<SentAction> {
    return this.#amend(id, { kind: 'remove' });
  }

  async react(id: string, emoji: string | undefined): Promise<SentAction> {
    checkReaction(emoji);
    return this.#amend(id, { kind: 'reaction', emoji: emoji ?? '' });
  }

  read(id: string): Promise<void> {
    return this.#act(async () => this.#conversation.read(id));
  }

  async sendFile(file: FileSource, options: SendFileOptions = {}): Promise<SentMessage> {
    checkSendFile(file, options);
    await this.#agreed();
    return this.#files.send(file, options);
  }

  async sendVoice(recording: FileSource | Recording, options: Partial<SendVoiceOptions> = {}): Promise<SentMessage> {
    checkSendVoice(recording, options);
    await this.#agreed();
    return this.#files.sendVoice(recording, options);
  }

  async rename(name: string): Promise<void> {
    checkName(name);
    return this.#act(async () => {
      this.me.name = cleanName(name, DEFAULTS.name);
      await this.#keeping.room();
      await this.#conversation.sendProfile();
    });
  }

  typing(): void {
    if (this.#state === 'secure') this.#enqueue(() => this.#conversation.sendTyping());
  }

  messages(options: ListenOptions = {}): AsyncIterable<Message> {
    checkListen(options);
    const { signal } = options;
    const stream = new MessageStream<Message>();
    if (this.#closed || signal?.aborted) stream.end();
    this.#streams.add(stream);
    signal?.addEventListener('abort', () => {
      stream.end();
      this.#streams.delete(stream);
    });
    return stream;
  }

  history(): readonly Message[] {
    return this.#conversation.history();
  }

  async rekey(): Promise<void> {
    // Waiting happens outside the queue: what is waited for has to get through it.
    const { done } = await this.#act(() => this.#membership.rekey());
    await done;
  }

  lock(): Promise<Decided> {
    return this.#decide(() => this.#membership.admissions.lock(true));
  }

  unlock(): Promise<Decided> {
    return this.#decide(() => this.#membership.admissions.lock(false));
  }

  async approve(member: Member): Promise<void> {
    checkMember(member);
    return this.#act(() => this.#membership.admissions.approve(member.id));
  }

  async delegate(member: Member | string, rights: readonly Right[]): Promise<Decided> {
    const id = checkedId(member);
    checkRights(rights);
    return this.#decide(() => this.#membership.admissions.delegate(id, rights));
  }

  revoke(member: Member | string): Promise<Decided> {
    return this.delegate(member, []);
  }

  async removeMember(member: Member): Promise<Decided> {
    checkMember(member);
    return this.#decide(() => this.#removals.remove(member.id));
  }

  retry(): void;
  retry(id: string): Promise<SentAction>;
  retry(id?: string): Promise<SentAction> | undefined {
    if (id !== undefined) return this.#sendAgain(id);
    this.#assertOpen();
    this.#membership.retry();
    return undefined;
  }

  reconnect(): void {
    this.#place.session.reconnect();
  }

  get needsDelegate(): boolean {
    return this.#membership.admissions.needsDelegate;
  }

  async leave(options: LeaveOptions = {}): Promise<void> {
    checkLeave(options);
    const { delegate } = options;
    if (this.#closed) return;
    if (delegate) await this.#handOver(delegate);
    else if (this.needsDelegate) this.#logger('warn', 'left without a delegate: nobody can decide about the room any more');
    await this.#queue.run(async () => {
      const goodbye = encodePairContent({ kind: 'leave' });
      for (const peer of this.#membership.peers) await this.#membership.sendToPeer(peer, goodbye);
    });
    await this.#giveUp();
  }

  async suspend(): Promise<void> {
    if (this.#closed) return;
    // What was begun ends first: nothing that the others were told is lost here.
    await this.#queue.run(() => undefined);
    await this.#keeping.room();
    await this.#keeping.release();
    this.#close();
  }

  forget(): Promise<void> {
    return this.#keeping.forget();
  }

  /** Whether the room is kept, so that closing the page is no farewell. */
  get kept(): boolean {
    return this.#keeping.active;
  }

  /** What was read is stored before the relay is told that it may forget it. */
  saveProgress(): Promise<void> {
    return this.#keeping.room();
  }

  /** Gives the seat up without a goodbye, for a page that is being closed: nothing asynchronous would still run. */
  abandon(): void {
    if (this.#closed) return;
    this.#removals.close(true);
    this.#place.session
      .leave()
      .catch((error: unknown) => this.#logger('info', 'left without an answer', { error: String(error) }));
    this.#close();
  }

  on<K extends keyof RoomEvents>(name: K, listener: Listener<RoomEvents[K]>, options?: ListenOptions): () => void {
    checkListener(name, listener, options);
    return this.#events.on(name, listener, options);
  }

  async once<K extends keyof RoomEvents>(name: K, options?: ListenOptions): Promise<RoomEvents[K]> {
    checkRoomEvent(name);
    checkListen(options ?? {});
    return this.#events.once(name, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kept ? this.suspend() : this.leave();
  }

  #context(identity: SigningKey, seat: Bytes): RoomContext {
    const place = () => this.#place;
    return {
      get place() {
        return place();
      },
      get invite() {
        return place().invite;
      },
      get session() {
        return place().session;
      },
      identity,
      me: this.me,
      seat,
      events: this.#events,
      logger: this.#logger,
      keeping: this.#keeping,
      enqueue: (task, bytes) => this.#enqueue(task, bytes),
      fault: (cause) => this.#fault(cause),
      push: (frame, to, transient) => this.#push(frame, to, transient),
    };
  }

  /** Follows what the relay says at a place for as long as the room is there. */
  #listen(place: Place): void {
    const { session } = place;
    const here = () => place === this.#place;
    session.on('up', (joined) => here() && this.#up(joined));
    session.on('down', () => this.#updateState());
    session.on('presence', ({ seat, presence }) =>
      this.#enqueue(async () => {
        if (here()) await this.#membership.presence(seat, presence);
      }, NOTICE_BYTES),
    );
    const receive = async (delivery: Delivery, expected: Expected | undefined) => {
      const known = await this.#receive(delivery, place, expected);
      if (here() && known !== undefined) this.#membership.doubt(toBase64url(delivery.from), !known);
    };
    session.on('frame', (delivery) => {
      if (!here()) return;
      let expected: Expected | undefined;
      const taken = this.#enqueue(() => receive(delivery, expected), FRAME_BYTES + delivery.body.length);
      if (taken) expected = this.#expect(delivery);
    });
    session.on('gap', ({ from, to }) => here() && this.#events.emit('gap', { missing: to - from + 1 }));
    session.on('ended', () => here() && this.#close());
    session.on('refused', (error) => here() && this.#refused(error));
    session.on('silent', (error) => here() && this.#events.emit('error', error));
    session.on('fault', (error) => this.#logger('warn', error.message, { code: error.code }));
  }

  /** The relay gave us our seat, the first time or again. */
  #up(joined: RelaySessionEvents['up']): void {
    if (!this.#joinedOnce) this.#removals.resume();
    this.#joinedOnce = true;
    this.#files.arrived();
    void this.#keeping.room();
    const { session } = this.#place;
    this.#enqueue(async () => {
      try {
        if (session === this.#place.session) await this.#membership.up(joined);
      } finally {
        // Also where that failed: `connect` waits for it.
        this.#updateState();
      }
    });
  }

  #refused(error: QsecError): void {
    if (this.#joinedOnce) this.#events.emit('error', error);
    this.#close();
  }

  /** A removal renewed the link. */
  #moved(place: Place): void {
    this.#place = place;
    this.#listen(place);
    this.#updateState();
  }

  /** The creator, or who has the right, removed us: the end, and nothing to come back to. */
  async #removed(): Promise<void> {
    this.#events.emit('error', new QsecError('REMOVED', 'You were removed from this room.'));
    await this.#giveUp();
  }

  /** A doorkeeper says that the link by which we came was renewed. Among others who are here it may be a lie. */
  #outdated(from: Peer): void {
    from.turnedUsAway = true;
    // Who does not know us as a member says so, too: somebody else here may know where the room went, and that we belong to it.
    if (this.#membership.peers.some(({ announced, turnedUsAway }) => announced || !turnedUsAway)) return;
    const error = new QsecError('ROOM_NOT_FOUND', 'This link was replaced by a new one when a member was removed.');
    this.#events.emit('error', error);
    this.#close();
  }

  /** Decides something, and waits for the others' word outside the queue: it has to get through it. */
  async #decide(action: () => Promise<Deciding>): Promise<Decided> {
    const { done } = await this.#act(action);
    return done;
  }

  /** Waiting happens outside the queue: what is waited for has to get through it. */
  async #handOver(delegate: Member): Promise<void> {
    const { confirmed } = await this.#act(() => this.#membership.admissions.handOver(delegate.id));
    if (await confirmed) return;
    throw new QsecError('TIMEOUT', `"${delegate.name}" did not confirm that it decides from now on. You are still in the room.`);
  }

  /** Leaves without a word. */
  async #giveUp(): Promise<void> {
    this.#place.session.report('key-destroyed');
    await this.#forgetQuietly();
    this.#removals.close(true);
    try {
      await this.#place.session.leave();
    } catch (error) {
      // The seat then ends by itself after the retention time.
      this.#logger('info', 'the relay was not reachable to give the seat up', { error: String(error) });
    }
    this.#close();
  }

  /** Somebody is here under keys that are confirmed: what was known of this identity holds again. */
  #recall(peer: Peer): void {
    const before = this.#directory.note(peer);
    if (!before) return;
    peer.recall(before);
    this.#conversation.renamed(peer);
  }

  /** The members of before a reload. */
  #remembered({ invite, identity, store }: Entry): RememberedMember[] {
    const changed = () => this.#events.emit('members', this.members);
    return (store?.kept?.room.members ?? []).map((kept) => {
      const creator = equalBytes(fingerprint(kept.identity), invite.creator);
      return new RememberedMember(kept, invite.roomId, identity.publicKey, creator, changed);
    });
  }

  /** What of this room has to outlive a reload. */
  #describe({ seat, seatSecret, endToken, relay, identity }: Entry): KeptRoom {
    const { policy, lock, admission, orders, carriedOver, banned } = this.#authority;
    const members = this.#directory.all().map(({ identityKey, name, verified, vouched, attested }) => {
      return { identity: identityKey, name, verified, vouched, attested };
    });
    return {
      version: KEPT_VERSION,
      relay: relay.href,
      invite: this.invite.code,
      identity: identity.publicKey,
      seat,
      seatSecret,
      endToken,
      name: this.me.name,
      position: this.#place.session.position,
      nextIndex: this.#conversation.sent,
      policy: policy?.encoded,
      lock: lock?.encoded,
      admission,
      orders,
      carriedOver,
      banned: [...banned],
      ...this.#removals.kept,
      members,
      usedAt: Date.now(),
    };
  }

  /** Somebody who leaves leaves nothing behind; that it could not be erased must not keep anybody in the room. */
  async #forgetQuietly(): Promise<void> {
    try {
      await this.#keeping.forget();
    } catch (error) {
      this.#events.emit('error', error as QsecError);
    }
  }

  async #say(body: MessageBody, options: SendOptions): Promise<SentMessage> {
    await this.#agreed();
    return this.#act(() => this.#conversation.send(body, options));
  }

  async #sendAgain(id: string): Promise<SentAction> {
    await this.#agreed();
    return this.#act(() => this.#conversation.retry(id));
  }

  async #amend(id: string, change: Amending['change']): Promise<SentAction> {
    await this.#agreed();
    return this.#act(() => this.#conversation.amend(id, change));
  }

  /** Waits while it is not known whether there is anyone to send to. */
  async #agreed(): Promise<void> {
    this.#assertOpen();
    while (this.#state === 'connecting' || this.#state === 'agreeing') {
      const left = this.#stateSince + AGREEMENT_PATIENCE_MS - Date.now();
      if (left <= 0) break;
      await this.#stateChange(left);
    }
    const { identityChange, failure } = this.#membership;
    if (identityChange) throw identityChange;
    if (this.#state === 'aborted' && failure) throw failure;
  }

  /** Waits for another state, and no longer than so. */
  async #stateChange(limitMs: number): Promise<void> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), limitMs);
    // Rejects only where it was stopped.
    await this.#events.once('state', { signal: stop.signal }).catch(() => undefined);
    clearTimeout(timer);
  }

  /** What can be done about a frame before its turn: frames that come together are checked while others are opened. */
  #expect({ from, body }: Delivery): Expected | undefined {
    try {
      const seat = toBase64url(from);
      const { type, content } = decodeFrame(body);
      if (type !== FRAME_TYPE.group || this.#membership.isOwn(seat) || !this.#refusals.take(seat, this.#isMember(seat)))
        return undefined;
      return this.#conversation.expect(content);
    } catch {
      // Whatever is wrong with it is found again, and told of, in its turn.
      return undefined;
    }
  }

  /** Returns whether we share the keys that it was sealed under; undefined where a frame does not show it. */
  async #receive(
    { from, body, seq, transient }: Delivery,
    { session }: Place,
    expected?: Expected,
  ): Promise<boolean | undefined> {
    try {
      const seat = toBase64url(from);
      if (this.#membership.isOwn(seat)) return undefined;
      const { type, content } = decodeFrame(body);
      if (type === FRAME_TYPE.handshake) {
        await this.#membership.receiveHandshake(seat, content);
        return undefined;
      }
      if (type === FRAME_TYPE.versions) {
        if (session === this.#place.session) this.#membership.receiveVersions(seat, content);
        return undefined;
      }
      // What is expected has its place already.
      if (!expected && !this.#refusals.take(seat, this.#isMember(seat))) return undefined;
      let known: boolean | undefined;
      if (type === FRAME_TYPE.pair) known = await this.#inbox.receive(seat, content);
      else await this.#conversation.receiveFrame(seat, content, expected);
      this.#refusals.giveBack(seat, this.#isMember(seat));
      return known;
    } catch (error) {
      if (QsecError.is(error, 'VERSION_MISMATCH') && session === this.#place.session)
        this.#membership.askVersions(toBase64url(from));
      throw error;
    } finally {
      if (!transient) session.markRead(seq);
    }
  }

  #isMember(seat: string): boolean {
    return this.#membership.peerAt(seat) !== undefined;
  }

  #push(frame: Bytes, to: readonly Bytes[] | undefined, transient = false): void {
    this.#place.session.push(frame, { ...(to && { to }), ...(transient && { transient }) }).catch((error: unknown) => {
      if (!QsecError.is(error, 'CLOSED')) this.#fault(error);
    });
  }

  /**
   * Runs a task on the room's state. A frame that a relay or a peer got wrong is logged and changes nothing; everything else is our own
   * fault, and an event.
   * @returns whether there was room for it
   */
  #enqueue(task: () => Promise<void>, bytes = 0): boolean {
    if (bytes > 0 && this.#queue.bytes + bytes > MAX_BACKLOG_BYTES) {
      this.#logger('warn', 'the relay sends faster than this device opens frames: one was dropped', { bytes });
      return false;
    }
    const guarded = async () => {
      if (!this.#closed) await task();
    };
    this.#queue.run(guarded, bytes).catch((error: unknown) => {
      if (QsecError.is(error) && (bytes > 0 ? REFUSALS : MEANWHILE).has(error.code)) {
        const what = bytes > 0 ? 'a frame was refused' : 'a task came too late';
        this.#logger(bytes > 0 ? 'warn' : 'info', `${what}: ${error.message}`, { code: error.code });
      } else this.#fault(error);
    });
    return true;
  }

  /** Something went wrong that neither the relay nor a peer did: never without a word. */
  #fault(cause: unknown): void {
    if (this.#closed) return;
    const error = QsecError.is(cause) ? cause : new QsecError('UNSUPPORTED', 'An operation failed unexpectedly.', { cause });
    this.#events.emit('error', error);
  }

  /** Runs what the application asked for, in turn with what the relay brings. */
  #act<T>(action: () => Promise<T>): Promise<T> {
    return this.#queue.run(() => {
      this.#assertOpen();
      return action();
    });
  }

  #updateState(): void {
    if (!this.#closed) this.#membership.admissions.watch(!this.#membership.agreeing);
    const state = this.#presentState();
    if (state === this.#state) return;
    this.#state = state;
    this.#stateSince = Date.now();
    this.#events.emit('state', state);
  }

  #presentState(): RoomState {
    if (this.#closed) return 'closed';
    if (!this.#joinedOnce) return 'connecting';
    if (!this.#place.session.joined) return 'reconnecting';
    if (this.#membership.audience.length > 0 && this.#authority.admitted) return 'secure';
    if (this.#membership.agreeing) return 'agreeing';
    return this.#membership.failure ? 'aborted' : 'waiting';
  }

  #assertOpen(): void {
    if (this.#closed) throw new QsecError('CLOSED', 'This room was left or ended.');
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#keeping.release();
    this.#removals.close(false);
    this.#place.session.close();
    this.#files.close();
    this.#conversation.close();
    this.#membership.destroy();
    this.#updateState();
    for (const stream of this.#streams) stream.end();
    this.#events.removeAll();
  }
}
