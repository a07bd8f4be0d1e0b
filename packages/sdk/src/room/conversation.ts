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
import { type Bytes, fromBase64url, toBase64url } from '../wire/index.ts';
import type { Amending } from './amendments.ts';
import type { RoomContext } from './context.ts';
import type { Directory } from './directory.ts';
import { MAX_TIMER_MS } from './expiry.ts';
import type { Files } from './files.ts';
import { Heartbeats } from './heartbeats.ts';
import type { Membership } from './membership.ts';
import { fromKept, type MessageEntry, toKept } from './message-entry.ts';
import { Messages } from './messages.ts';
import { Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';
import { Receipts } from './receipts.ts';
import { SeenIds } from './seen-ids.ts';
import { fromHex, hex, isEmoji } from './text.ts';
import type { Delivery, Message, SendOptions, SentAction, SentMessage } from './types.ts';
import { Typing } from './typing.ts';
import { WaitingFrames } from './waiting-frames.ts';

/** Read receipts that are told again to an author who is back with new keys. */
const READ_AGAIN = 64;

/** What the members say to each other: messages and what changes them out and in, their receipts, and who is typing. */
export class Conversation {
  readonly #context: RoomContext;
  readonly #membership: Membership;
  readonly #files: Files;
  readonly #messages: Messages;
  readonly #directory: Directory;
  readonly #outbox: Outbox;
  readonly #seen = new SeenIds();
  readonly #waiting = new WaitingFrames();
  readonly #receipts: Receipts;
  readonly #reads: Receipts;
  readonly #heartbeats: Heartbeats;
  readonly #typing: Typing;
  /** Frames the relay has not got yet, by message id, and the message each is about. */
  readonly #unsent = new Map<string, string>();
  #sentIndex: number;
  #closed = false;

  constructor(context: RoomContext, membership: Membership, files: Files, directory: Directory) {
    const { keeping } = context;
    this.#context = context;
    this.#membership = membership;
    this.#files = files;
    this.#directory = directory;
    this.#sentIndex = keeping.kept?.room.nextIndex ?? 0;
    this.#outbox = new Outbox((id, outgoing) => keeping.outgoing(id, outgoing));
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
    this.#heartbeats = new Heartbeats(context, membership, {
      sent: () => this.#sentIndex,
      resend: (peer) => this.resend(peer),
    });
    this.#restore();
  }

  /** Number of our next message. */
  get sent(): number {
    return this.#sentIndex;
  }

  history(): readonly Message[] {
    return this.#messages.history();
  }

  /** Seals a message for everyone who is in the room now. */
  async send(body: MessageBody, { replyTo, expiresInMs }: SendOptions): Promise<SentMessage> {
    const reply = replyTo === undefined ? undefined : fromHex(replyTo, MESSAGE_ID_BYTES, 'replyTo');
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
      unread: new Set(to),
      status: to.length > 0 ? 'sending' : 'sent',
      expiresAt: lifetime === undefined ? undefined : head.sentAt + lifetime,
    });
    const delivered = this.#keep(id, content, id, to);
    await this.#tell(id, content, id, to);
    return { ...(message as Message), delivered };
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
    const { id, head } = this.#nextHead();
    const content = encodeGroupContent({ ...change, ...head, target: fromHex(target, MESSAGE_ID_BYTES, 'id') });
    if (change.kind === 'remove') {
      this.#withdraw(target);
      if (entry.body.kind !== 'text') this.#files.withdraw(entry.body.attachment);
    }
    this.#messages.amend(target, { by: 'me', index: head.index, sentAt: head.sentAt, change });
    const to = this.#audience();
    const delivered = this.#keep(id, content, target, to);
    await this.#tell(id, content, target, to);
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
    if (!this.#typing.due()) return;
    const sealed = await (await this.#membership.epochs.current()).seal(encodeGroupContent({ kind: 'typing' }));
    this.#context.push(encodeFrame(FRAME_TYPE.group, sealed), undefined, true);
  }

  /** Opens a group frame, or keeps it until the keys of its epoch are known. */
  async receiveFrame(seat: string, frame: Bytes): Promise<void> {
    for (const peer of this.#membership.peers) {
      const key = peer.receiverKeyFor(frame);
      if (key) return this.receiveContent(peer, decodeGroupContent(await key.open(frame)));
    }
    this.#waiting.add(fromBase64url(seat), frame.slice());
  }

  /** A member announced an epoch: frames of it may be waiting. */
  async openWaiting(peer: Peer): Promise<void> {
    const openable = this.#waiting.take((frame) => peer.receiverKeyFor(frame) !== undefined);
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

  async receiveContent(peer: Peer, content: GroupContent): Promise<void> {
    switch (content.kind) {
      case 'text':
      case 'file':
      case 'voice':
        return this.#receive(peer, content, (id) => this.#receiveMessage(id, peer, content));
      case 'edit':
      case 'remove':
      case 'reaction':
        return this.#receive(peer, content, () => this.#receiveAmendment(peer, content));
      case 'typing':
        return this.#typing.show(peer);
      case 'profile':
        return this.#membership.rename(peer, content.name);
      case 'heartbeat':
        return this.#heartbeats.receive(peer, content);
      case 'unknown': {
        this.#context.logger('info', 'ignored a message of an unknown kind', { code: content.code });
        if (content.head) this.#receive(peer, content.head, () => undefined);
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

  /** A member is back with new keys: what it has not confirmed is sealed again for it. */
  async resend(peer: Peer): Promise<void> {
    for (const content of this.#outbox.unconfirmed(peer.id)) {
      await this.#membership.sendToPeer(peer, encodePairContent({ kind: 'resend', content }));
    }
  }

  forget(peer: Peer): void {
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
    for (const { id, author } of seen) this.#seen.add(author, id);
    for (const kept of outgoing) this.#outbox.restore(kept);
    for (const kept of messages) {
      const entry = fromKept(kept);
      this.#seen.add(entry.author, entry.id);
      if (entry.author !== 'me' && !this.#directory.has(entry.author)) continue;
      if (entry.status === 'sending' && !waiting.has(entry.id)) entry.status = 'failed';
      if (entry.body) entry.file = this.#fileOf(entry.id, entry.body);
      this.#messages.restore(entry);
    }
  }

  #audience(): string[] {
    return this.#membership.audience.map((peer) => peer.id);
  }

  #known(id: string): MessageEntry {
    const entry = this.#messages.get(id);
    if (!entry) throw new QsecError('INVALID_ARGUMENT', 'No message of this id is kept here.');
    return entry;
  }

  #nextHead(): { id: string; head: ActionHead } {
    const random = randomBytes(MESSAGE_ID_BYTES);
    const id = hex(messageId(this.#context.identity.publicKey, random));
    return { id, head: { id: random, index: this.#sentIndex++, sentAt: Date.now() } };
  }

  /**
   * Keeps content until everyone confirmed it.
   * @param about the message it belongs to: should that go, this goes, too
   */
  #keep(id: string, content: Bytes, about: string, to: readonly string[]): Promise<Delivery> {
    const lifetime = Math.min(this.#context.session.limits?.retentionMs ?? MAX_TIMER_MS, MAX_TIMER_MS);
    void this.#context.keeping.room();
    return this.#outbox.add(id, content, to, lifetime, about);
  }

  async #tell(id: string, content: Bytes, about: string, to: readonly string[]): Promise<void> {
    if (to.length === 0) return;
    const sealed = await (await this.#membership.epochs.current()).seal(content);
    this.#push(id, about, encodeFrame(FRAME_TYPE.group, sealed));
    this.#membership.countMessage();
    this.#heartbeats.activity();
  }

  #push(id: string, about: string, frame: Bytes): void {
    this.#unsent.set(id, about);
    const settled = (status: 'sent' | 'failed') => {
      this.#unsent.delete(id);
      this.#messages.progress(id, status);
    };
    this.#context.session.push(frame, { wanted: () => this.#unsent.has(id) }).then(
      () => settled('sent'),
      (error: unknown) => {
        settled('failed');
        if (QsecError.is(error) && error.code !== 'CLOSED') this.#context.events.emit('error', error);
      },
    );
  }

  /**
   * A message was taken back or disappeared: neither it nor what changes it goes out any more. Who has not got them gets what removes
   * itself instead, under the same id and number, so that nobody misses a message that is not to come.
   */
  #withdraw(message: string): void {
    for (const { id, content, to } of this.#outbox.withdraw(message, (content) => this.#blank(content))) {
      if (this.#unsent.delete(id)) this.#context.enqueue(() => this.#tell(id, content, id, to));
    }
  }

  #blank(content: Bytes): Bytes {
    const { id, index, sentAt } = decodeGroupContent(content) as ActionHead & GroupContent;
    return encodeGroupContent({ kind: 'remove', id, index, sentAt, target: messageId(this.#context.identity.publicKey, id) });
  }

  /** Hands what came to the application, once, and confirms it, each time: the first receipt may have been lost. */
  #receive(peer: Peer, { id: random, index }: ActionHead, take: (id: string) => void): void {
    const id = messageId(peer.identityKey, random);
    peer.heads.add(index);
    if (!this.#seen.add(peer.id, hex(id))) {
      this.#receipts.add(peer, id);
      return;
    }
    take(hex(id));
    this.#membership.countMessage();
    this.#heartbeats.activity();
    // What is confirmed is not sent again: it has to be stored by then, where anything is.
    const stored = this.#context.keeping.seen(hex(id), peer.id, this.#context.session.limits?.retentionMs ?? 0);
    if (!stored) this.#receipts.add(peer, id);
    else void stored.then(() => this.#closed || this.#receipts.add(peer, id));
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

const bodyOf = (content: MessageBody): MessageBody =>
  content.kind === 'text'
    ? { kind: content.kind, text: content.text }
    : ({ kind: content.kind, attachment: content.attachment } as MessageBody);
