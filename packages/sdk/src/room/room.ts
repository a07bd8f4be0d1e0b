import { QsecError } from '../errors.ts';
import { Emitter, type Listener, type ListenOptions } from '../events.ts';
import type { KeySource } from '../key-source/types.ts';
import type { Recording } from '../media/recorder/recorder.ts';
import type { FileSource } from '../media/source.ts';
import type { FileOptions, Logger } from '../options.ts';
import { decodePairContent, encodePairContent } from '../protocol/content.ts';
import { decodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { decodeGroupContent, type MessageBody } from '../protocol/group-content.ts';
import { fingerprint } from '../protocol/identity.ts';
import type { Invite } from '../protocol/invite.ts';
import { sidOfPairFrame } from '../protocol/pair-channel.ts';
import type { AgreementPolicy } from '../protocol/policy.ts';
import type { KeptRoom } from '../storage/kept.ts';
import type { RelaySession } from '../transport/relay-session.ts';
import { type Bytes, type Delivery, equalBytes, MIN_CAPACITY, toBase64url } from '../wire/index.ts';
import type { Amending } from './amendments.ts';
import { Authority } from './authority.ts';
import type { RoomContext } from './context.ts';
import { Conversation } from './conversation.ts';
import { Directory } from './directory.ts';
import type { Entry } from './entry.ts';
import { Files } from './files.ts';
import { Keeping } from './keeping.ts';
import { Membership } from './membership.ts';
import { MessageStream } from './message-stream.ts';
import type { Peer } from './peer.ts';
import { RememberedMember } from './remembered-member.ts';
import { SerialQueue } from './serial-queue.ts';
import { checkLifetime, checkText, groupsOfFour, hex, isEmoji } from './text.ts';
import type {
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

export interface RoomSessionOptions {
  entry: Entry;
  psk: Bytes;
  session: RelaySession;
  agreement: AgreementPolicy;
  keySource: KeySource;
  files: FileOptions;
  logger: Logger;
}

/** The room as its application sees it, on top of one seat at a relay. One task at a time changes its state. */
export class RoomSession implements Room {
  readonly id: string;
  readonly invite: Invite;
  readonly me: Me;
  readonly #session: RelaySession;
  readonly #logger: Logger;
  readonly #events = new Emitter<RoomEvents>();
  readonly #queue = new SerialQueue();
  readonly #membership: Membership;
  readonly #conversation: Conversation;
  readonly #files: Files;
  readonly #authority: Authority;
  readonly #keeping: Keeping;
  readonly #directory = new Directory();
  readonly #streams = new Set<MessageStream<Message>>();
  #state: RoomState = 'connecting';
  #joinedOnce = false;
  #closed = false;

  constructor({ entry, psk, session, agreement, keySource, files, logger }: RoomSessionOptions) {
    const { invite, identity, seat, name, store } = entry;
    const print = fingerprint(identity.publicKey);
    this.id = hex(invite.roomId);
    this.invite = invite;
    this.me = { id: hex(print), name, identity: groupsOfFour(hex(print)), creator: equalBytes(print, invite.creator) };
    this.#session = session;
    this.#logger = logger;
    this.#keeping = new Keeping(store, () => this.#describe(entry));
    store?.begin(entry.privateKey, (error) => this.#events.emit('error', error));
    const context: RoomContext = {
      invite,
      identity,
      me: this.me,
      seat,
      session,
      events: this.#events,
      logger,
      keeping: this.#keeping,
      enqueue: (task) => this.#enqueue(task),
      push: (frame, to, transient) => this.#push(frame, to, transient),
    };
    this.#authority = new Authority(invite, identity, agreement, entry.policy, store?.kept?.room);
    this.#membership = new Membership(context, {
      psk,
      agreement,
      keySource,
      authority: this.#authority,
      sent: () => this.#conversation.sent,
      recall: (peer) => this.#recall(peer),
      onSecured: (peer) => this.#conversation.welcome(peer),
      onRemoved: (peer) => this.#conversation.forget(peer),
      onChange: () => this.#updateState(),
    });
    this.#files = new Files(context, files, (body, options) => this.#say(body, options));
    for (const kept of store?.kept?.room.members ?? []) {
      const creator = equalBytes(fingerprint(kept.identity), invite.creator);
      const changed = () => this.#events.emit('members', this.members);
      this.#directory.note(new RememberedMember(kept, invite.roomId, identity.publicKey, creator, changed));
    }
    this.#conversation = new Conversation(context, this.#membership, this.#files, this.#directory);
    this.#events.on('message', (message) => {
      for (const stream of this.#streams) stream.push(message);
    });
    this.#listen();
  }

  get state(): RoomState {
    return this.#state;
  }

  get members(): readonly Member[] {
    return this.#membership.peers;
  }

  get policy(): RoomPolicy {
    const { name = '', capacity = MIN_CAPACITY, join = 'auto', locked = false } = this.#authority.policy ?? {};
    return { name: name || undefined, capacity, join, locked };
  }

  get security(): SecurityStatus {
    return this.#membership.security;
  }

  async send(text: string, options: SendOptions = {}): Promise<SentMessage> {
    checkText(text);
    checkLifetime(options.expiresInMs);
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
    if (emoji !== undefined && !isEmoji(emoji)) throw new QsecError('INVALID_ARGUMENT', '"emoji" expected one emoji.');
    return this.#amend(id, { kind: 'reaction', emoji: emoji ?? '' });
  }

  read(id: string): Promise<void> {
    return this.#act(async () => this.#conversation.read(id));
  }

  async sendFile(file: FileSource, options: SendFileOptions = {}): Promise<SentMessage> {
    checkLifetime(options.expiresInMs);
    await this.#agreed();
    return this.#files.send(file, options);
  }

  async sendVoice(recording: FileSource | Recording, options: Partial<SendVoiceOptions> = {}): Promise<SentMessage> {
    checkLifetime(options.expiresInMs);
    await this.#agreed();
    return this.#files.sendVoice(recording, options);
  }

  typing(): void {
    if (this.#state === 'secure') this.#enqueue(() => this.#conversation.sendTyping());
  }

  messages({ signal }: ListenOptions = {}): AsyncIterable<Message> {
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
    const { done } = await this.#act(() => this.#membership.rekey(true));
    await done;
  }

  lock(): Promise<void> {
    return this.#act(() => this.#membership.amend({ locked: true }));
  }

  unlock(): Promise<void> {
    return this.#act(() => this.#membership.amend({ locked: false }));
  }

  approve(member: Member): Promise<void> {
    return this.#act(() => this.#membership.approve(member.id));
  }

  retry(): void {
    this.#assertOpen();
    this.#membership.retry();
  }

  reconnect(): void {
    this.#session.reconnect();
  }

  async leave(): Promise<void> {
    if (this.#closed) return;
    await this.#queue.run(async () => {
      const goodbye = encodePairContent({ kind: 'leave' });
      for (const peer of this.#membership.peers) await this.#membership.sendToPeer(peer, goodbye);
    });
    this.#session.report('key-destroyed');
    await this.#forgetQuietly();
    try {
      await this.#session.leave();
    } catch (error) {
      // The seat then ends by itself after the retention time.
      this.#logger('info', 'the relay was not reachable to give the seat up', { error: String(error) });
    }
    this.#close();
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
    this.#session.leave().catch((error: unknown) => this.#logger('info', 'left without an answer', { error: String(error) }));
    this.#close();
  }

  on<K extends keyof RoomEvents>(name: K, listener: Listener<RoomEvents[K]>, options?: ListenOptions): () => void {
    return this.#events.on(name, listener, options);
  }

  once<K extends keyof RoomEvents>(name: K, options?: ListenOptions): Promise<RoomEvents[K]> {
    return this.#events.once(name, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kept ? this.suspend() : this.leave();
  }

  #listen(): void {
    const session = this.#session;
    const keep = () => void this.#keeping.room();
    this.#events.on('members', keep);
    this.#events.on('security', keep);
    session.on('up', (joined) => {
      this.#joinedOnce = true;
      keep();
      this.#enqueue(async () => {
        await this.#membership.up(joined);
        this.#updateState();
      });
    });
    session.on('down', () => this.#updateState());
    session.on('presence', ({ seat, presence }) => this.#enqueue(() => this.#membership.presence(seat, presence)));
    session.on('frame', (delivery) => this.#enqueue(() => this.#receive(delivery)));
    session.on('gap', ({ from, to }) => this.#events.emit('gap', { missing: to - from + 1 }));
    session.on('ended', () => this.#close());
    session.on('refused', (error) => {
      if (this.#joinedOnce) this.#events.emit('error', error);
      this.#close();
    });
    session.on('fault', (error) => this.#logger('warn', error.message, { code: error.code }));
  }

  /** Somebody is here under keys that are confirmed: what was known of this identity holds again. */
  #recall(peer: Peer): void {
    const before = this.#directory.note(peer);
    if (!before) return;
    peer.recall(before);
    this.#conversation.renamed(peer);
  }

  /** What of this room has to outlive a reload. */
  #describe({ seat, seatSecret, endToken, capacity, relay, identity }: Entry): KeptRoom {
    const { policy, admission, orders } = this.#authority;
    const members = this.#directory.all().map(({ identityKey, name, verified, vouched, attested }) => {
      return { identity: identityKey, name, verified, vouched, attested };
    });
    return {
      relay: relay.href,
      invite: this.invite.code,
      identity: identity.publicKey,
      seat,
      seatSecret,
      endToken,
      capacity,
      name: this.me.name,
      position: this.#session.position,
      nextIndex: this.#conversation.sent,
      policy: policy?.encoded,
      admission,
      orders,
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

  async #amend(id: string, change: Amending['change']): Promise<SentAction> {
    await this.#agreed();
    return this.#act(() => this.#conversation.amend(id, change));
  }

  /** Waits while it is not known whether there is anyone to send to. */
  async #agreed(): Promise<void> {
    this.#assertOpen();
    while (this.#state === 'connecting' || this.#state === 'agreeing') await this.#events.once('state');
    if (this.#state === 'aborted' && this.#membership.failure) throw this.#membership.failure;
  }

  async #receive({ from, body, seq, transient }: Delivery): Promise<void> {
    try {
      const seat = toBase64url(from);
      if (this.#membership.isOwn(seat)) return;
      const { type, content } = decodeFrame(body);
      if (type === FRAME_TYPE.handshake) await this.#membership.receiveHandshake(seat, content);
      else if (type === FRAME_TYPE.pair) await this.#receivePair(seat, content);
      else await this.#conversation.receiveFrame(seat, content);
    } finally {
      if (!transient) this.#session.markRead(seq);
    }
  }

  async #receivePair(seat: string, frame: Bytes): Promise<void> {
    const peer = this.#membership.peerAt(seat);
    // A frame of a session that was replaced says nothing about the present one.
    if (!peer || !equalBytes(peer.channel.sid, sidOfPairFrame(frame))) return;
    const content = decodePairContent(await peer.channel.open(frame));
    switch (content.kind) {
      case 'sender-key':
        await this.#membership.receiveSenderKey(peer, content);
        await this.#conversation.openWaiting(peer);
        break;
      case 'receipt':
        this.#conversation.confirmed(content.ids, peer);
        break;
      case 'read':
        this.#conversation.wereRead(content.ids, peer);
        break;
      case 'resend':
        await this.#conversation.receiveContent(peer, decodeGroupContent(content.content));
        break;
      case 'admission':
        await this.#membership.receiveAdmission(peer, content.admission);
        break;
      case 'credentials':
        await this.#membership.receiveCredentials(peer, content.admission);
        break;
      case 'policy':
        await this.#membership.receivePolicy(content.policy);
        break;
      case 'rekey':
        await this.#membership.receiveRekeying(peer, content.payload);
        break;
      case 'rekey-request':
        await this.#membership.receiveRekeyRequest(peer, content.full);
        break;
      case 'leave':
        await this.#membership.gone(seat);
        break;
      case 'unknown':
        this.#logger('info', 'ignored pairwise content of an unknown kind', { code: content.code });
    }
  }

  #push(frame: Bytes, to: readonly Bytes[] | undefined, transient = false): void {
    this.#session.push(frame, { ...(to && { to }), ...(transient && { transient }) }).catch((error: unknown) => {
      if (QsecError.is(error) && error.code !== 'CLOSED') this.#events.emit('error', error);
    });
  }

  /** Runs a task on the room's state. What a relay or a peer got wrong is logged and changes nothing; what we got wrong is an event. */
  #enqueue(task: () => Promise<void>): void {
    const guarded = async () => {
      if (!this.#closed) await task();
    };
    this.#queue.run(guarded).catch((error: unknown) => {
      if (this.#closed) return;
      if (QsecError.is(error)) this.#logger('warn', `a frame was refused: ${error.message}`, { code: error.code });
      else this.#events.emit('error', new QsecError('UNSUPPORTED', 'An operation failed unexpectedly.', { cause: error }));
    });
  }

  /** Runs what the application asked for, in turn with what the relay brings. */
  #act<T>(action: () => Promise<T>): Promise<T> {
    return this.#queue.run(() => {
      this.#assertOpen();
      return action();
    });
  }

  #updateState(): void {
    const state = this.#presentState();
    if (state === this.#state) return;
    this.#state = state;
    this.#events.emit('state', state);
  }

  #presentState(): RoomState {
    if (this.#closed) return 'closed';
    if (!this.#joinedOnce) return 'connecting';
    if (!this.#session.joined) return 'reconnecting';
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
    this.#session.close();
    this.#files.close();
    this.#conversation.close();
    this.#membership.destroy();
    this.#updateState();
    for (const stream of this.#streams) stream.end();
    this.#events.removeAll();
  }
}
