import { QsecError } from '../errors.ts';
import { Emitter } from '../events.ts';
import {
  type Ack,
  type Batch,
  type Bytes,
  type CreateRequest,
  compareBytes,
  type Delivery,
  decodeBatch,
  type Ended,
  encodePushes,
  type Joined,
  MAX_PUSHES,
  type Position,
  type Push,
  type Range,
  type RelayError,
  type RelayLimits,
  type ReportRequest,
  type SeatPresence,
  toBase64url,
} from '../wire/index.ts';
import { checkedHandlers, checkReply, isJoined } from './relay-messages.ts';
import type { BlobTransport, Transport, TransportFactory, TransportHandlers } from './transport.ts';

/**
 * A member's seat at the relay across connections: joins, goes on where it stopped, sends again what was not acknowledged,
 * and hands every frame over once and in order.
 */

export interface RelaySessionOptions {
  url: URL;
  /** Names the room at the relay. */
  room: Bytes;
  token: Bytes;
  seat: Bytes;
  seatSecret: Bytes;
  /** Places in the room, asked for when it has to be made. */
  capacity(): number;
  /** Given by who makes the room; others bring a room back only after the relay lost it. */
  endToken?: Bytes;
  create: boolean;
  /** The room was elsewhere before: whoever comes first makes it here. */
  moved?: boolean;
  /** Nobody waits for the answer to the first join: a relay that cannot be reached is tried again. */
  patient?: boolean;
  /** Where to go on, for a seat that was held before. */
  since?: Position;
  /** Awaited before the relay is told that it may forget what was read. */
  onRead?(): Promise<void>;
  transport: TransportFactory;
}

export interface RelaySessionEvents {
  /** Joined, the first time or again; `renewed` when the relay lost the room in between, or never had it here: it does not know who is in it. */
  up: Joined & { renewed: boolean };
  down: { reason: string };
  frame: Delivery;
  presence: SeatPresence;
  /** Frames that this member will never get. */
  gap: Range;
  ended: Ended;
  /** The session is over: the relay refuses it. */
  refused: QsecError;
  /** Something to tell that does not end the session. */
  fault: QsecError;
}

export interface PushOptions {
  /** Seats it is for; everyone unless given. */
  to?: readonly Uint8Array[];
  /** Not kept by the relay: of use now or never. */
  transient?: boolean;
  /** Asked before it goes out, each time: what is no longer wanted stays here. */
  wanted?: () => boolean;
}

interface Outgoing {
  push: Push;
  wanted: (() => boolean) | undefined;
  resolve(): void;
  reject(error: QsecError): void;
}

/** How often the relay is told how far this member read. */
const RECV_INTERVAL_MS = 500;
/** Pause before joining again on a connection that is open. */
const JOIN_RETRY_MS = 1_000;
const CID_BYTES = 16;

export class RelaySession extends Emitter<RelaySessionEvents> {
  readonly #options: RelaySessionOptions;
  readonly #transport: Transport;
  /** Pushed and not acknowledged, oldest first; the first `#inFlight` of them on this connection. */
  readonly #outbox: Outgoing[] = [];
  #inFlight = 0;
  #inFlightBytes = 0;
  /** Pushes of this connection that were answered. */
  #answered = 0;
  #limits: RelayLimits | undefined;
  #epoch: string | undefined;
  #seq = 0;
  #joined = false;
  /** Whether what may pass is waited for: from the first join on, or from the beginning. */
  #patient: boolean;
  #joining = false;
  /** What came right behind the answer to the join, in the same turn: it is about a position that is known only after it. */
  #early: (() => void)[] = [];
  #joinTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #pausedUntil = 0;
  #pauseTimer: ReturnType<typeof setTimeout> | undefined;
  #recvTimer: ReturnType<typeof setTimeout> | undefined;
  #flushing = false;
  #read = 0;

  constructor(options: RelaySessionOptions) {
    super();
    this.#options = options;
    this.#epoch = options.since?.epoch;
    this.#seq = this.#read = options.since?.seq ?? 0;
    this.#patient = options.patient === true;
    const handlers: TransportHandlers = {
      open: () => void this.#join(),
      close: (reason) => this.#down(reason),
      unreachable: (cause, final) => this.#unreachable(cause, final),
      batch: (bytes) => this.#afterJoin(() => this.#batch(bytes)),
      ack: (ack) => this.#ack(ack),
      presence: (change) => this.#afterJoin(() => this.emit('presence', change)),
      gap: (range) => this.#afterJoin(() => this.#lost(range)),
      slow: ({ pauseMs }) => this.#pause(pauseMs),
      bye: () => this.#down('the relay is stopping'),
      ended: (ended) => this.#ended(ended),
      error: (error) => this.emit('fault', relayError(error)),
    };
    const wrong = (event: string) =>
      this.emit('fault', new QsecError('RELAY_REFUSED', `The relay sent a "${event}" that its contract does not know.`));
    this.#transport = options.transport(options.url, checkedHandlers(handlers, wrong));
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** How long the relay keeps mail for who is away; known after the first join. */
  get limits(): RelayLimits | undefined {
    return this.#limits;
  }

  /** Requests about sealed files, where relay and transport carry them. Known after the first join. */
  get blobs(): BlobTransport | undefined {
    return this.#limits?.blobs && this.#transport.blobs;
  }

  /** Up to where this member is done with the relay's frames; undefined before the first join. */
  get position(): Position | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, seq: this.#read };
  }

  /** Frames that wait for the relay's acknowledgement. */
  get pending(): number {
    return this.#outbox.length;
  }

  /**
   * Hands a frame to the relay, now or when it is back. Resolves when the relay has it safe, or when it is not wanted any more.
   * @throws {QsecError} `CLOSED` when the session ends first, or what the relay refuses it with
   */
  push(body: Uint8Array, { to, transient, wanted }: PushOptions = {}): Promise<void> {
    if (this.#closed) return Promise.reject(closed());
    if (transient && !this.#joined) return Promise.resolve();
    const cid = crypto.getRandomValues(new Uint8Array(CID_BYTES));
    const push: Push = { cid, body, ...(to && { to: [...to].sort(compareBytes) }), ...(transient && { transient }) };
    return new Promise((resolve, reject) => {
      this.#outbox.push({ push, wanted, resolve, reject });
      // One turn later, so that frames made together travel together.
      if (!this.#flushing) {
        this.#flushing = true;
        queueMicrotask(() => {
          this.#flushing = false;
          this.#flush();
        });
      }
    });
  }

  /** This member is done with everything up to `seq`: the relay may forget it. */
  markRead(seq: number): void {
    if (seq <= this.#read) return;
    this.#read = seq;
    this.#recvTimer ??= setTimeout(() => {
      this.#recvTimer = undefined;
      void this.#tellRead();
    }, RECV_INTERVAL_MS);
  }

  report(kind: ReportRequest['kind']): void {
    if (this.#joined) this.#transport.report({ kind });
  }

  reconnect(): void {
    this.#transport.reconnect();
  }

  /** Gives the seat up for good, as far as the relay can be reached, and closes. */
  async leave(): Promise<void> {
    if (this.#closed) return;
    const left = this.#joined ? this.#transport.leave() : undefined;
    try {
      await left;
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#joined = false;
    clearTimeout(this.#pauseTimer);
    clearTimeout(this.#recvTimer);
    clearTimeout(this.#joinTimer);
    this.#transport.close();
    for (const { reject } of this.#outbox.splice(0)) reject(closed());
  }

  async #tellRead(): Promise<void> {
    const [epoch, upTo] = [this.#epoch, this.#read];
    await this.#options.onRead?.();
    if (this.#joined && this.#epoch === epoch) this.#transport.recv({ upTo });
  }

  #afterJoin(handle: () => void): void {
    if (this.#joining) this.#early.push(handle);
    else handle();
  }

  async #join(): Promise<void> {
    if (this.#closed || this.#joined || this.#joining) return;
    this.#joining = true;
    this.#early = [];
    const { room, token, seat, seatSecret, create, moved } = this.#options;
    try {
      if (create && this.#epoch === undefined) await this.#create();
      const since = this.#epoch === undefined ? undefined : { epoch: this.#epoch, seq: this.#seq };
      const request = {
        room: toBase64url(room),
        token: toBase64url(token),
        seat: toBase64url(seat),
        seatSecret: toBase64url(seatSecret),
        ...(since && { since }),
      };
      let reply = checkReply(await this.#transport.join(request), isJoined);
      if (reply.error?.code === 'NO_ROOM' && (since || moved)) {
        // The relay lost the room, or has not got it yet. Its members know everything that is needed to go on.
        await this.#create();
        reply = checkReply(await this.#transport.join(request), isJoined);
      }
      if (reply.error) throw relayError(reply.error);
      this.#joining = false;
      this.#up(reply.ok);
    } catch (error) {
      this.#joining = false;
      this.#joinFailed(error);
    }
  }

  async #create(): Promise<void> {
    const { room, token, endToken = crypto.getRandomValues(new Uint8Array(32)), capacity } = this.#options;
    const request: CreateRequest = {
      room: toBase64url(room),
      token: toBase64url(token),
      endToken: toBase64url(endToken),
      capacity: capacity(),
    };
    const { error } = await this.#transport.create(request);
    // Another member may have made it first, with an end token of its own: then joining tells whether it is our room.
    if (error && this.#epoch === undefined && !this.#options.moved) throw relayError(error);
  }

  #up(joined: Joined): void {
    if (this.#closed) return;
    const first = this.#epoch === undefined;
    const renewed = first ? this.#options.moved === true : this.#epoch !== joined.epoch;
    if (first) this.#seq = joined.head;
    else if (renewed) this.#seq = 0;
    this.#epoch = joined.epoch;
    this.#limits = joined.limits;
    this.#read = first ? this.#seq : Math.min(this.#read, this.#seq);
    this.#joined = this.#patient = true;
    this.#inFlight = 0;
    this.#inFlightBytes = 0;
    this.#answered = 0;
    if (joined.gap) this.#lost(joined.gap);
    this.emit('up', { ...joined, renewed });
    for (const handle of this.#early.splice(0)) handle();
    this.#flush();
  }

  #joinFailed(error: unknown): void {
    const failure = QsecError.is(error) ? error : new QsecError('RELAY_UNREACHABLE', 'Joining failed.', { cause: error });
    // Without a connection the next one joins by itself; with one, it is for us to ask again.
    const passing = failure.code === 'RELAY_UNREACHABLE' || failure.code === 'TIMEOUT' || failure.code === 'RATE_LIMITED';
    if (!passing || !this.#patient) {
      this.#refuse(failure);
      return;
    }
    this.emit('fault', failure);
    const retryAfterMs = failure.details.retryAfterMs;
    clearTimeout(this.#joinTimer);
    this.#joinTimer = setTimeout(() => void this.#join(), typeof retryAfterMs === 'number' ? retryAfterMs : JOIN_RETRY_MS);
  }

  #unreachable(cause: unknown, final: boolean): void {
    const message = final ? 'The relay refuses the connection.' : 'The relay cannot be reached.';
    const failure = new QsecError(final ? 'RELAY_REFUSED' : 'RELAY_UNREACHABLE', message, { cause });
    // Before the first join somebody waits for an answer; later the transport goes on trying.
    if (final || !this.#patient) this.#refuse(failure);
  }

  #refuse(failure: QsecError): void {
    if (this.#closed) return;
    this.close();
    this.emit('refused', failure);
  }

  #down(reason: string): void {
    if (!this.#joined) return;
    this.#joined = false;
    this.#inFlight = 0;
    this.#inFlightBytes = 0;
    this.emit('down', { reason });
  }

  #ended(ended: Ended): void {
    this.close();
    this.emit('ended', ended);
  }

  #batch(bytes: Uint8Array): void {
    let batch: Batch;
    try {
      batch = decodeBatch(bytes);
    } catch (cause) {
      this.emit('fault', new QsecError('RELAY_REFUSED', 'The relay sent a batch that does not decode.', { cause }));
      return;
    }
    const { from, to, deliveries } = batch;
    if (from <= to && from > this.#seq + 1) this.#lost({ from: this.#seq + 1, to: from - 1 });
    const before = this.#seq;
    this.#seq = Math.max(this.#seq, to);
    for (const delivery of deliveries) {
      if (delivery.transient || delivery.seq > before) this.emit('frame', delivery);
    }
  }

  #lost(range: Range): void {
    this.#seq = Math.max(this.#seq, range.to);
    this.emit('gap', range);
  }

  #ack({ upTo, seq, refused = [] }: Ack): void {
    // Answers to pushes that were answered before, or that this connection never made, say nothing.
    const fresh = upTo - this.#answered;
    if (fresh <= 0 || fresh > this.#inFlight) return;
    for (let i = 0; i < fresh; i++) {
      const outgoing = this.#outbox.shift() as Outgoing;
      const number = ++this.#answered;
      this.#inFlight--;
      this.#inFlightBytes -= outgoing.push.body.length;
      if (seq[seq.length - fresh + i] === -1) outgoing.reject(this.#refusalOf(number, refused));
      else outgoing.resolve();
    }
    this.#flush();
  }

  #refusalOf(number: number, refused: NonNullable<Ack['refused']>): QsecError {
    const refusal = refused.find(({ push }) => push === number);
    return refusal ? relayError(refusal.error) : new QsecError('RELAY_REFUSED', 'The relay did not take a frame.');
  }

  #pause(pauseMs: number): void {
    this.#pausedUntil = Date.now() + pauseMs;
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => this.#flush(), pauseMs);
  }

  /** Sends what the relay's limits allow, in order. */
  #flush(): void {
    if (!this.#joined || !this.#limits || Date.now() < this.#pausedUntil) return;
    const { inFlightFrames, inFlightBytes, frameBytes } = this.#limits;
    let bundle: Push[] = [];
    let bundleBytes = 0;
    const send = () => {
      if (bundle.length > 0) this.#transport.push(encodePushes(bundle));
      bundle = [];
      bundleBytes = 0;
    };
    while (this.#inFlight < this.#outbox.length && this.#inFlight < inFlightFrames) {
      const { push, wanted, resolve } = this.#outbox[this.#inFlight] as Outgoing;
      if (wanted?.() === false) {
        this.#outbox.splice(this.#inFlight, 1);
        resolve();
        continue;
      }
      if (this.#inFlight > 0 && this.#inFlightBytes + push.body.length > inFlightBytes) break;
      if (bundle.length === MAX_PUSHES || (bundle.length > 0 && bundleBytes + push.body.length > frameBytes)) send();
      bundle.push(push);
      bundleBytes += push.body.length;
      this.#inFlight++;
      this.#inFlightBytes += push.body.length;
    }
    send();
  }
}

const closed = () => new QsecError('CLOSED', 'The connection to the relay was closed.');

/** What a relay's refusal means to a person. */
function relayError({ code, message, retryAfterMs }: RelayError): QsecError {
  const details = { relay: code, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  switch (code) {
    case 'NO_ROOM':
      return new QsecError('ROOM_NOT_FOUND', 'The relay knows no such room, or the link is not a link to it.', { details });
    case 'ROOM_FULL':
      return new QsecError('ROOM_FULL', 'Every place in this room is taken.', { details });
    case 'RATE_LIMITED':
      return new QsecError('RATE_LIMITED', 'The relay asks to slow down.', { details });
    case 'UNAVAILABLE':
      return new QsecError('RELAY_UNREACHABLE', 'The relay cannot serve this at the moment.', { details });
    case 'TOO_LARGE':
      return new QsecError('MESSAGE_TOO_LARGE', 'The relay does not take frames of this size.', { details });
    default:
      return new QsecError('RELAY_REFUSED', `The relay refused: ${message}`, { details });
  }
}
