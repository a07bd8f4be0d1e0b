import { invalid } from '../arguments.ts';
import { QsecError } from '../errors.ts';
import { encodePairContent } from '../protocol/content.ts';
import { encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import {
  type ActionHead,
  type Amendment,
  decodeGroupContent,
  encodeGroupContent,
  type GroupContent,
  type MessageBody,
  type MessageHead,
} from '../protocol/group-content.ts';
import { MESSAGE_ID_BYTES, messageId } from '../protocol/message-id.ts';
import { randomBytes } from '../protocol/random.ts';
import type { ReceiverKey } from '../protocol/sender-key.ts';
import { type Bytes, fromBase64url, toBase64url } from '../wire/index.ts';
import type { Amending } from './amendments.ts';
import type { RoomContext } from './context.ts';
import type { Directory } from './directory.ts';
import { MAX_TIMER_MS } from './expiry.ts';
import type { Files } from './files.ts';
import { Heartbeats } from './heartbeats.ts';
import { Incoming } from './incoming.ts';
import type { Membership } from './membership.ts';
import { fromKept, type MessageEntry, toKept } from './message-entry.ts';
import { Messages } from './messages.ts';
import { type Audience, Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';
import { Receipts } from './receipts.ts';
import { fromHex, hex, isEmoji } from './text.ts';
import type { Delivery, Message, SendOptions, SentAction, SentMessage } from './types.ts';
import { Typing } from './typing.ts';
import { WaitingFrames } from './waiting-frames.ts';

/** Read receipts that are told again to an author who is back with new keys. */
const READ_AGAIN = 64;

/** Opens a frame with a key, in its turn. */
export type Expected = ReadonlyMap<ReceiverKey, () => Promise<Bytes>>;

/** What the members say to each other: messages and what changes them out and in, their receipts, and who is typing. */
export class Conversation {
  readonly #context: RoomContext;
  readonly #membership: Membership;
  readonly #files: Files;
  readonly #messages: Messages;
  readonly #directory: Directory;
  readonly #outbox: Outbox;
  readonly #incoming: Incoming;
  readonly #waiting = new WaitingFrames();
  readonly #receipts: Receipts;
  readonly #reads: Receipts;
  readonly #heartbeats: Heartbeats;
  readonly #typing: Typing;
  /** Frames the relay has not got yet, by message id. */
  readonly #unsent = new Map<string, Bytes>();
  #sentIndex: number;
  #closed = false;

  constructor(context: RoomContext, membership: Membership, files: Files, directory: Directory) {
    const { keeping } = context;
    this.#context = context;
    this.#membership = membership;
    this.#files = files;
    this.#directory = directory;
    this.#sentIndex = keeping.kept?.room.nextIndex ?? 0;
    this.#outbox = new Outbox(
      (id, outgoing) => keeping.outgoing(id, outgoing),
      (id, status) => this.#messages.progress(id, status),
    );
    this.#messages = new Messages({
      events: context.events,
      directory,
      onChanged: (entry) => keeping.message(() => toKept(entry)),
      onDropped: (id) => keeping.dropMessage(id),
      onExpired: (id) => {
        this.#withdraw(id);
        keeping.dropMessage(id);
      },
    });
    const confirm = (kind: 'receipt' | 'read') => (author: Peer, ids: Bytes[]) =>
      context.enqueue(() => membership.sendToPeer(author, encodePairContent({ kind, ids })));
    this.#receipts = new Receipts(confirm('receipt'));
    this.#reads = new Receipts(confirm('read'));
    this.#typing = new Typing(context.events);
    const present = (member: string) => membership.peers.find(({ id }) => id === member);
    this.#incoming = new Incoming({
      present,
      reachable: (member) => context.session.joined && present(member)?.presence === 'present',
      handed: (id, peer, index, done) => this.#handed(id, peer, index, done),
      forgotten: (id) => keeping.dropSeen(id),
      confirm: (peer, id) => this.#receipts.add(peer, id),
      lacking: () => this.#heartbeats.hurry(),
    });
    this.#heartbeats = new Heartbeats(context, membership, {
      sent: () => this.#sentIndex,
      heads: (member) => this.#incoming.heads(member),
      overdue: (member) => {
        this.#outbox.revive(member, this.#lifetime());
        return this.#outbox.overdue(member);
      },
      lacking: () => this.#incoming.holding || this.#waiting.size > 0,
      resend: (peer, contents) => this.#repeat(peer, contents),
    });
    this.#restore();
  }

  /** Number of our next message. */
  get sent(): number {
    return this.#sentIndex;
  }

  /** Whether a message that is kept is by this member. */
  names(member: string): boolean {
    return this.#messages.names(member);
  }

  /** Number of the first message that a member may still get from us: what is below it, it has, or never will. */
  firstFor(member: string): number {
    const [oldest] = this.#outbox.unconfirmed(member);
    return oldest ? headOf(oldest).index : this.#sentIndex;
  }

  history(): readonly Message[] {
    return this.#messages.history();
  }

  /** Seals a message for everyone who is in the room now. */
  async send(body: MessageBody, { replyTo, expiresInMs }: SendOptions): Promise<SentMessage> {
    const reply = replyTo === undefined ? undefined : fromHex(replyTo, MESSAGE_ID_BYTES, 'replyTo');
    this.#outbox.assertRoom();
    const { id, head } = this.#nextHead();
    const lifetime = expiresInMs === undefined ? undefined : Math.round(expiresInMs);
    const content = encodeGroupContent({
      ...body,
      ...head,
      ...(reply && { replyTo: reply }),
      ...(lifetime !== undefined && { expiresInMs: lifetime }),
    });
    const to = this.#audience();
    const message = this.#messages.add({
      ...this.#newEntry(id, 'me', head, body, replyTo),
      unread: new Set(to.members),
      status: to.members.length > 0 || to.seats.size > 0 ? 'sending' : 'unaddressed',
      expiresAt: lifetime === undefined ? undefined : head.sentAt + lifetime,
    });
    const { delivered } = await this.#keep(id, content, id, to);
    await this.#tell(id, content, to.members);
    return { ...(message as Message), delivered };
  }

  /**
   * Sends a message of ours that did not arrive again, as the same one.
   * @throws {QsecError} `INVALID_ARGUMENT`, `EXPIRED`
   */
  async retry(id: string): Promise<SentAction> {
    const { author, status, body } = this.#known(id);
    if (author !== 'me' || !body || !['expired', 'unaddressed', 'failed'].includes(status)) {
      throw new QsecError('INVALID_ARGUMENT', 'Only a message of ours that did not arrive can be sent again.');
    }
    this.#outbox.assertRoom();
    const retried = this.#outbox.retry(id, this.#audience(), this.#lifetime());
    if (!retried) throw new QsecError('EXPIRED', 'What this message said is not held for sending any more.');
    for (const { content, members } of retried.again) {
      for (const peer of this.#membership.audience.filter((each) => members.includes(each.id))) {
        this.#messages.addressed(id, peer.id);
        await this.#repeat(peer, [content]);
      }
    }
    this.#heartbeats.activity();
    return { id, delivered: retried.delivered };
  }

  /**
   * Changes a message for everyone.
   * @throws {QsecError} `INVALID_ARGUMENT` for a message that is not kept or was taken back; for an edit or a removal of a message
   *   that is not ours, or an edit of one that is no text
   */
  async amend(target: string, change: Amending['change']): Promise<SentAction> {
    const entry = this.#known(target);
    const allowed = change.kind === 'reaction' || (entry.author === 'me' && (change.kind === 'remove' || entry.kind === 'text'));
    if (!allowed) {
      throw new QsecError('INVALID_ARGUMENT', 'Only its author can edit or remove a message, and only a text can be edited.');
    }
    if (!entry.body) throw new QsecError('INVALID_ARGUMENT', 'This message was removed.');
    this.#outbox.assertRoom();
    const { id, head } = this.#nextHead();
    const content = encodeGroupContent({ ...change, ...head, target: fromHex(target, MESSAGE_ID_BYTES, 'id') });
    if (change.kind === 'remove') {
      this.#withdraw(target);
      if (entry.body.kind !== 'text') this.#files.withdraw(entry.body.attachment);
    }
    this.#messages.amend(target, { by: 'me', index: head.index, sentAt: head.sentAt, change });
    const to = this.#audience();
    const { delivered } = await this.#keep(id, content, target, to);
    await this.#tell(id, content, to.members);
    return { id, delivered };
  }

  /** A person read a message: tells its author. */
  read(id: string): void {
    const entry = this.#known(id);
    if (!this.#messages.markRead(entry)) return;
    const author = this.#membership.audience.find((peer) => peer.id === entry.author);
    if (author) this.#reads.add(author, fromHex(id, MESSAGE_ID_BYTES, 'id'));
  }

  async sendTyping(): Promise<void> {
    if (this.#typing.due()) await this.#signal({ kind: 'typing' }, true);
  }

  /** Tells everyone what we are called now. */
  async sendProfile(): Promise<void> {
    if (this.#membership.audience.length > 0) await this.#signal({ kind: 'profile', name: this.#context.me.name }, false);
  }

  async #signal(content: Extract<GroupContent, { kind: 'typing' | 'profile' }>, transient: boolean): Promise<void> {
    const sealed = await (await this.#membership.epochs.current()).seal(encodeGroupContent(content));
    this.#context.push(encodeFrame(FRAME_TYPE.group, sealed), undefined, transient);
  }

  /** Begins to check the signature of a group frame before its turn comes, if the keys of its epoch are known. */
  expect(frame: Bytes): Expected {
    const keys = this.#membership.peers.flatMap((peer) => peer.receiverKeysFor(frame));
    return new Map(keys.map((key) => [key, key.expect(frame)]));
  }

  /** Opens a group frame, or keeps it until the keys of its epoch are known. */
  async receiveFrame(seat: string, frame: Bytes, expected?: Expected): Promise<void> {
    const candidates = this.#membership.peers.flatMap((peer) => peer.receiverKeysFor(frame).map((key) => ({ peer, key })));
    for (const [i, { peer, key }] of candidates.entries()) {
      let content: Bytes;
      try {
        content = await (expected?.get(key)?.() ?? key.open(frame));
      } catch (error) {
        // Names collide by chance or by malice: whose frame it is, its signature says.
        if (i < candidates.length - 1 && QsecError.is(error)) continue;
        throw error;
      }
      peer.heardAt = Date.now();
      return this.receiveContent(peer, content);
    }
    // Of somebody who is not let in nothing is kept: it comes again once they are.
    if (candidates.length === 0 && this.#membership.peers.some((peer) => peer.waiting && peer.claims(frame))) return;
    this.#waiting.add(fromBase64url(seat), frame.slice());
    this.#heartbeats.hurry();
  }

  /**
   * A member announced an epoch: frames of it may be waiting.
   * @param first number of the first message that the member may still send us
   */
  async announced(peer: Peer, first: number): Promise<void> {
    this.#incoming.begin(peer.id, first);
    await this.openWaiting(peer);
  }

  /** Opens the frames that waited until those of this member can be opened. */
  async openWaiting(peer: Peer): Promise<void> {
    const openable = this.#waiting.take((frame) => peer.receiverKeysFor(frame).length > 0);
    for (const { seat, content } of openable) {
      try {
        await this.receiveFrame(toBase64url(seat), content);
      } catch (error) {
        // A forged frame among them must not cost us the others.
        if (!QsecError.is(error)) throw error;
        this.#context.logger('warn', `a frame that waited was refused: ${error.message}`, { code: error.code });
      }
    }
  }

  async receiveContent(peer: Peer, bytes: Bytes): Promise<void> {
    const content = decodeGroupContent(bytes);
    const receive = (head: ActionHead, take: (id: string) => void) => this.#incoming.receive(peer, head, bytes.length, take);
    switch (content.kind) {
      case 'text':
      case 'file':
      case 'voice':
        return receive(content, (id) => this.#receiveMessage(id, peer, content));
      case 'edit':
      case 'remove':
      case 'reaction':
        return receive(content, () => this.#receiveAmendment(peer, content));
      case 'typing':
        return this.#typing.show(peer);
      case 'profile':
        return this.#membership.rename(peer, content.name);
      case 'heartbeat':
        return this.#heartbeats.receive(peer, content);
      case 'unknown': {
        this.#context.logger('info', 'ignored a message of an unknown kind', { code: content.code });
        if (content.head) receive(content.head, () => undefined);
      }
    }
  }

  /** A member has our messages. */
  confirmed(ids: readonly Bytes[], by: Peer): void {
    for (const id of ids) if (this.#outbox.confirm(hex(id), by.id)) this.#messages.progress(hex(id), 'delivered');
  }

  /** Keys with a member are confirmed. */
  welcome(peer: Peer): Promise<void> {
    this.#heartbeats.activity();
    for (const id of this.#messages.lastRead(peer.id, READ_AGAIN)) this.#reads.add(peer, fromHex(id, MESSAGE_ID_BYTES, 'id'));
    return this.resend(peer);
  }

  /** A person there read our messages, which thus have arrived. */
  wereRead(ids: readonly Bytes[], by: Peer): void {
    this.confirmed(ids, by);
    for (const id of ids) this.#messages.readBy(by.id, hex(id));
  }

  /** Keys with the owner of a seat are confirmed, and it is let in: what was sent while that was under way is for it. */
  claim(seat: string, peer: Peer): void {
    for (const id of this.#outbox.claim(seat, peer.id, this.#lifetime())) this.#messages.addressed(id, peer.id);
    this.#outbox.revive(peer.id, this.#lifetime());
  }

  /** The owner of a seat is no member, and is not about to be. */
  release(seat: string): void {
    this.#outbox.release(seat);
  }

  /** A member is back with new keys: what it has not confirmed is sealed again for it. */
  resend(peer: Peer): Promise<void> {
    this.#outbox.revive(peer.id, this.#lifetime());
    return this.#repeat(peer, this.#outbox.unconfirmed(peer.id));
  }

  async #repeat(peer: Peer, contents: readonly Bytes[]): Promise<void> {
    for (const content of contents) {
      await this.#membership.sendToPeer(peer, encodePairContent({ kind: 'resend', content }));
    }
  }

  forget(peer: Peer): void {
    this.#incoming.forget(peer.id);
    this.#outbox.forgetMember(peer.id);
    this.#messages.forget(peer.id);
    this.#typing.stop(peer);
    this.#heartbeats.forget(peer);
  }

  /** Tells the others now, rather than at the next interval, what we have and know. */
  beat(): Promise<void> {
    return this.#heartbeats.beat();
  }

  close(): void {
    this.#closed = true;
    this.#heartbeats.close();
    this.#incoming.close();
    this.#receipts.close();
    this.#reads.close();
    this.#outbox.close();
    this.#waiting.clear();
    this.#typing.close();
    this.#messages.close();
  }

  /** A member is named by another object from now on. */
  renamed(peer: Peer): void {
    this.#messages.renamed(peer);
  }

  /** Goes on with what was said before a reload. */
  #restore(): void {
    const { messages = [], outgoing = [], seen = [] } = this.#context.keeping.kept ?? {};
    const waiting = new Set(outgoing.map(({ id }) => id));
    for (const each of seen) this.#incoming.restore(each);
    for (const kept of messages) {
      const entry = fromKept(kept);
      if (entry.author !== 'me') this.#incoming.restore(entry);
      if (entry.author !== 'me' && !this.#directory.has(entry.author)) continue;
      if (entry.status === 'sending' && !waiting.has(entry.id)) entry.status = 'failed';
      if (entry.body) entry.file = this.#fileOf(entry.id, entry.body);
      this.#messages.restore(entry);
    }
    for (const kept of outgoing) this.#outbox.restore(kept);
  }

  /**
   * Who gets what is sent now: the members whom its author sees. Where nobody is here yet, whoever becomes a member of those with whom
   * keys are being agreed.
   */
  #audience(): Audience {
    const members = this.#membership.audience.map((peer) => peer.id);
    const coming = members.length > 0 ? [] : this.#membership.expected;
    const until = Date.now() + this.#lifetime();
    return { members, seats: new Map(coming.map((seat) => [seat, until])) };
  }

  /** How long a message is waited for. */
  #lifetime(): number {
    return this.#context.session.limits?.retentionMs ?? MAX_TIMER_MS;
  }

  #known(id: string): MessageEntry {
    const entry = this.#messages.get(id);
    if (!entry) throw invalid('id', 'the id of a message that is kept here', id);
    return entry;
  }

  #nextHead(): { id: string; head: ActionHead } {
    const random = randomBytes(MESSAGE_ID_BYTES);
    const id = hex(messageId(this.#context.identity.publicKey, random));
    return { id, head: { id: random, index: this.#sentIndex++, sentAt: Date.now() } };
  }

  /**
   * Keeps content until everyone confirmed it. Resolves when it is stored, where anything is: what was sent once must not be unknown here,
   * nor its number be given to another.
   * @param about the message it belongs to: should that go, this goes, too
   */
  async #keep(
    id: string,
    content: Bytes,
    about: string,
    { members, seats }: Audience,
  ): Promise<{ delivered: Promise<Delivery> }> {
    const delivered = this.#outbox.add(id, content, members, this.#lifetime(), about, seats);
    await this.#context.keeping.room();
    return { delivered };
  }

  async #tell(id: string, content: Bytes, to: readonly string[]): Promise<void> {
    if (to.length === 0) return;
    const sealed = await (await this.#membership.epochs.current()).seal(content);
    this.#push(id, encodeFrame(FRAME_TYPE.group, sealed));
    this.#membership.countMessage();
    this.#heartbeats.activity();
  }

  #push(id: string, frame: Bytes): void {
    this.#unsent.set(id, frame);
    // In the place of what was withdrawn another frame waits under the same id: the first one is not to go out because of that.
    const wanted = () => this.#unsent.get(id) === frame;
    const settled = (status: 'sent' | 'failed') => {
      if (!wanted()) return;
      this.#unsent.delete(id);
      this.#messages.progress(id, status);
    };
    this.#context.session.push(frame, { wanted }).then(
      () => settled('sent'),
      (error: unknown) => {
        settled('failed');
        if (!QsecError.is(error, 'CLOSED')) this.#context.fault(error);
      },
    );
  }

  /**
   * A message was taken back or disappeared: neither it nor what changes it goes out any more. Who has not got them gets what removes
   * itself instead, under the same id and number, so that nobody misses a message that is not to come.
   */
  #withdraw(message: string): void {
    for (const { id, content, to } of this.#outbox.withdraw(message, (content) => this.#blank(content))) {
      if (this.#unsent.delete(id)) this.#context.enqueue(() => this.#tell(id, content, to));
    }
  }

  #blank(content: Bytes): Bytes {
    const { id, index, sentAt } = headOf(content);
    return encodeGroupContent({ kind: 'remove', id, index, sentAt, target: messageId(this.#context.identity.publicKey, id) });
  }

  /** A message is at the application. What is confirmed is not sent again: it has to be stored by then, where anything is. */
  #handed(id: string, peer: Peer, index: number, done: () => void): void {
    this.#membership.countMessage();
    this.#heartbeats.activity();
    const retentionMs = this.#context.session.limits?.retentionMs ?? 0;
    const stored = this.#context.keeping.seen({ id, author: peer.id, index }, retentionMs);
    if (!stored) done();
    else void stored.then(() => this.#closed || done());
  }

  #receiveMessage(id: string, peer: Peer, content: MessageHead & MessageBody): void {
    const { replyTo, expiresInMs } = content;
    this.#typing.stop(peer);
    const message = this.#messages.add({
      ...this.#newEntry(id, peer.id, content, bodyOf(content), replyTo && hex(replyTo)),
      expiresAt: expiresInMs === undefined ? undefined : Date.now() + expiresInMs,
    });
    if (message) this.#context.events.emit('message', message);
  }

  #receiveAmendment(peer: Peer, { target, index, sentAt, ...change }: ActionHead & Amendment): void {
    if (change.kind === 'reaction' && change.emoji !== '' && !isEmoji(change.emoji)) {
      this.#context.logger('info', 'ignored a reaction that is no emoji');
      return;
    }
    this.#messages.amend(hex(target), { by: peer.id, index, sentAt, change });
  }

  #fileOf(id: string, body: MessageBody): MessageEntry['file'] {
    if (body.kind === 'text') return undefined;
    return body.kind === 'file' ? this.#files.shown(id, body.attachment) : this.#files.shownVoice(id, body.attachment);
  }

  #newEntry(
    id: string,
    author: string,
    { index, sentAt }: ActionHead,
    body: MessageBody,
    replyTo: string | undefined,
  ): MessageEntry {
    return {
      id,
      author,
      kind: body.kind,
      order: 0,
      index,
      sentAt,
      replyTo,
      unread: new Set(),
      someoneRead: false,
      body,
      file: this.#fileOf(id, body),
      edit: undefined,
      reactions: new Map(),
      status: 'received',
      expiresAt: undefined,
    };
  }
}

/** Of a message of our own. */
const headOf = (content: Bytes): ActionHead => decodeGroupContent(content) as ActionHead & GroupContent;

const bodyOf = (content: MessageBody): MessageBody =>
  content.kind === 'text'
    ? { kind: content.kind, text: content.text }
    : ({ kind: content.kind, attachment: content.attachment } as MessageBody);
