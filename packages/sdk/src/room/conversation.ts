import { QsecError } from '../errors.ts';
import {
  decodeGroupContent,
  encodeGroupContent,
  encodePairContent,
  type GroupContent,
  MESSAGE_ID_BYTES,
  type MessageBody,
  type MessageHead,
  messageId,
} from '../protocol/content.ts';
import { encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { randomBytes } from '../protocol/random.ts';
import { type Bytes, fromBase64url, toBase64url } from '../wire/index.ts';
import type { RoomContext } from './context.ts';
import type { Files } from './files.ts';
import { Heartbeats } from './heartbeats.ts';
import type { Membership } from './membership.ts';
import { MessageLog } from './message-log.ts';
import { Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';
import { Receipts } from './receipts.ts';
import { hex } from './text.ts';
import type { Message, MessageStatus, SentMessage } from './types.ts';
import { WaitingFrames } from './waiting-frames.ts';

const TYPING_INTERVAL_MS = 2_000;
const TYPING_SHOWN_MS = 6_000;
/** Longest delay a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What the members say to each other: messages out and in, their receipts, and who is typing. */
export class Conversation {
  readonly #context: RoomContext;
  readonly #membership: Membership;
  readonly #files: Files;
  readonly #outbox = new Outbox();
  readonly #log = new MessageLog();
  readonly #waiting = new WaitingFrames();
  readonly #receipts: Receipts;
  readonly #heartbeats: Heartbeats;
  readonly #typing = new Map<Peer, ReturnType<typeof setTimeout>>();
  #sentIndex = 0;
  #typedAt = 0;

  constructor(context: RoomContext, membership: Membership, files: Files) {
    this.#context = context;
    this.#membership = membership;
    this.#files = files;
    this.#receipts = new Receipts((author, ids) => {
      context.enqueue(() => membership.sendToPeer(author, encodePairContent({ kind: 'receipt', ids })));
    });
    this.#heartbeats = new Heartbeats(context, membership, {
      sent: () => this.#sentIndex,
      resend: (peer) => this.resend(peer),
    });
  }

  /** Number of our next message. */
  get sent(): number {
    return this.#sentIndex;
  }

  history(): readonly Message[] {
    return this.#log.all();
  }

  /** Seals a message for everyone who is in the room now. */
  async send(body: MessageBody, replyTo: string | undefined): Promise<SentMessage> {
    const id = randomBytes(MESSAGE_ID_BYTES);
    const key = hex(messageId(this.#context.identity.publicKey, id));
    const sentAt = Date.now();
    const reply = replyTo === undefined ? undefined : parseMessageId(replyTo);
    const content = encodeGroupContent({
      ...body,
      id,
      index: this.#sentIndex++,
      sentAt,
      ...(reply && { replyTo: reply }),
    });
    const to = this.#membership.audience.map((peer) => peer.id);
    const message: Message = {
      id: key,
      from: 'me',
      sentAt: new Date(sentAt),
      ...this.#shown(key, body),
      ...(replyTo !== undefined && { replyTo }),
      status: to.length > 0 ? 'sending' : 'sent',
    };
    this.#log.add(message);
    const lifetime = Math.min(this.#context.session.limits?.retentionMs ?? MAX_TIMER_MS, MAX_TIMER_MS);
    const delivered = this.#outbox.add(key, content, to, lifetime);
    if (to.length > 0) {
      const sealed = await (await this.#membership.epochs.current()).seal(content);
      this.#push(key, encodeFrame(FRAME_TYPE.group, sealed));
      this.#membership.countMessage();
      this.#heartbeats.activity();
    }
    return { ...message, delivered };
  }

  async sendTyping(): Promise<void> {
    const now = Date.now();
    if (now - this.#typedAt < TYPING_INTERVAL_MS) return;
    this.#typedAt = now;
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
        this.#receiveMessage(peer, content);
        break;
      case 'typing':
        this.#showTyping(peer);
        break;
      case 'profile':
        this.#membership.rename(peer, content.name);
        break;
      case 'heartbeat':
        await this.#heartbeats.receive(peer, content);
        break;
      case 'unknown':
        this.#context.logger('info', 'ignored a message of an unknown kind', { code: content.code });
    }
  }

  /** A member has our messages. */
  confirmed(ids: readonly Bytes[], by: Peer): void {
    for (const id of ids) if (this.#outbox.confirm(hex(id), by.id)) this.#setStatus(hex(id), 'delivered');
  }

  /** Keys with a member are confirmed. */
  welcome(peer: Peer): Promise<void> {
    this.#heartbeats.activity();
    return this.resend(peer);
  }

  /** A member is back with new keys: what it has not confirmed is sealed again for it. */
  async resend(peer: Peer): Promise<void> {
    for (const content of this.#outbox.unconfirmed(peer.id)) {
      await this.#membership.sendToPeer(peer, encodePairContent({ kind: 'resend', content }));
    }
  }

  forget(peer: Peer): void {
    this.#outbox.forgetMember(peer.id);
    this.#stopTyping(peer);
    this.#heartbeats.forget(peer);
  }

  /** Tells the others now, rather than at the next interval, what we have and know. */
  beat(): Promise<void> {
    return this.#heartbeats.beat();
  }

  close(): void {
    this.#heartbeats.close();
    this.#receipts.close();
    this.#outbox.close();
    this.#waiting.clear();
    for (const timer of this.#typing.values()) clearTimeout(timer);
  }

  #push(id: string, frame: Bytes): void {
    this.#context.session.push(frame).then(
      () => this.#setStatus(id, 'sent', 'sending'),
      (error: unknown) => {
        this.#setStatus(id, 'failed', 'sending');
        if (QsecError.is(error) && error.code !== 'CLOSED') this.#context.events.emit('error', error);
      },
    );
  }

  /** @param from change it from this status only: the relay's acknowledgement may come after the receipts */
  #setStatus(id: string, status: MessageStatus, from?: MessageStatus): void {
    const present = this.#log.get(id);
    if (!present || (from !== undefined && present.status !== from)) return;
    this.#context.events.emit('update', this.#log.replace({ ...present, status }));
  }

  #receiveMessage(peer: Peer, { id: random, index, sentAt, replyTo, ...body }: MessageHead & MessageBody): void {
    const id = messageId(peer.identityKey, random);
    const key = hex(id);
    // A repetition is confirmed again: the first receipt may have been lost.
    this.#receipts.add(peer, id);
    peer.heads.add(index);
    if (!peer.isNew(key)) return;
    this.#stopTyping(peer);
    const reply = replyTo && { replyTo: hex(replyTo) };
    const shown = this.#shown(key, body);
    const message: Message = { id: key, from: peer, sentAt: new Date(sentAt), ...shown, ...reply, status: 'received' };
    this.#log.add(message);
    this.#context.events.emit('message', message);
    this.#membership.countMessage();
    this.#heartbeats.activity();
  }

  /** What an application sees of a message's content. */
  #shown(id: string, body: MessageBody): Pick<Message, 'kind' | 'text' | 'file' | 'voice'> {
    switch (body.kind) {
      case 'text':
        return { kind: 'text', text: body.text };
      case 'file':
        return { kind: 'file', file: this.#files.shown(id, body.attachment) };
      case 'voice':
        return { kind: 'voice', voice: this.#files.shownVoice(id, body.attachment) };
    }
  }

  #showTyping(peer: Peer): void {
    const shown = this.#typing.get(peer);
    clearTimeout(shown);
    this.#typing.set(
      peer,
      setTimeout(() => this.#stopTyping(peer), TYPING_SHOWN_MS),
    );
    if (shown === undefined) this.#context.events.emit('typing', { member: peer, typing: true });
  }

  #stopTyping(peer: Peer): void {
    clearTimeout(this.#typing.get(peer));
    if (this.#typing.delete(peer)) this.#context.events.emit('typing', { member: peer, typing: false });
  }
}

function parseMessageId(text: string): Bytes {
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw new QsecError('INVALID_ARGUMENT', '"replyTo" expected the id of a message, 32 hexadecimal digits.');
  }
  return Uint8Array.from({ length: MESSAGE_ID_BYTES }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
