import { QsecError } from '../errors.ts';
import { Emitter } from '../events.ts';
import {
  type Batch,
  type Bytes,
  type CreateRequest,
  type Delivery,
  decodeBatch,
  type Ended,
  type Joined,
  type Position,
  type Range,
  type RelayLimits,
  type ReportRequest,
  type SeatPresence,
  toBase64url,
  WIRE_VERSION,
} from '../wire/index.ts';
import { checkedLimits } from './checked-limits.ts';
import { type PushOptions, PushQueue } from './push-queue.ts';
import { refusing, relayError, retryDelay, unreachable } from './relay-error.ts';
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
  /** The relay is connected and does not answer; told once until it does. */
  silent: QsecError;
}

/** How long a transport may take to answer a request; Socket.IO's answers sooner that nothing came. */
const REQUEST_LIMIT_MS = 15_000;
/** How long the first join may take in all, its requests included. */
const FIRST_JOIN_LIMIT_MS = 45_000;
/** How often the relay is told how far this member read. */
const RECV_INTERVAL_MS = 500;
/** What waits for the answer to the join. */
const MAX_EARLY = 256;

export class RelaySession extends Emitter<RelaySessionEvents> {
  readonly #options: RelaySessionOptions;
  readonly #transport: Transport;
  readonly #pushes: PushQueue;
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
  #firstTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #recvTimer: ReturnType<typeof setTimeout> | undefined;
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
      ack: (ack) => this.#pushes.acknowledge(ack),
      presence: (change) => this.#afterJoin(() => this.emit('presence', change)),
      gap: (range) => this.#afterJoin(() => this.#lost(range)),
      slow: ({ pauseMs }) => this.#pushes.pause(pauseMs),
      bye: () => this.#down('the relay is stopping'),
      ended: (ended) => this.#ended(ended),
      error: (error) => this.emit('fault', relayError(options.url, error)),
    };
    const wrong = (event: string) =>
      this.emit('fault', new QsecError('RELAY_REFUSED', `The relay sent a "${event}" that its contract does not know.`));
    this.#pushes = new PushQueue({
      relay: options.url,
      send: (frames) => this.#transport.push(frames),
      refused: (error) => this.emit('fault', error),
      unanswered: (error) => this.emit('silent', error),
    });
    // A transport says by itself that it cannot connect; one that does not is not waited for without end.
    if (!this.#patient) this.#firstTimer = setTimeout(() => this.#unreachable(undefined, false), FIRST_JOIN_LIMIT_MS);
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
    return this.#pushes.length;
  }

  /**
   * Hands a frame to the relay, now or when it is back. Resolves when the relay has it safe, or when it is not wanted any more. What the
   * relay refuses for now goes out again, as the same frame, after the time it asks for.
   * @throws {QsecError} `CLOSED` when the session ends first, or what the relay refuses it with for good
   */
  push(body: Uint8Array, options: PushOptions = {}): Promise<void> {
    if (this.#closed) return Promise.reject(closed());
    if (options.transient && !this.#joined) return Promise.resolve();
    return this.#pushes.push(body, options);
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
    this.#pushes.finish();
    const left = this.#joined ? inTime(this.#transport.leave()) : undefined;
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
    clearTimeout(this.#recvTimer);
    clearTimeout(this.#joinTimer);
    clearTimeout(this.#firstTimer);
    this.#transport.close();
    this.#pushes.close(closed());
  }

  async #tellRead(): Promise<void> {
    const [epoch, upTo] = [this.#epoch, this.#read];
    await this.#options.onRead?.();
    if (this.#joined && this.#epoch === epoch) this.#transport.recv({ upTo });
  }

  #afterJoin(handle: () => void): void {
    if (!this.#joining) handle();
    // What is dropped of a relay that goes on without answering shows as a gap.
    else if (this.#early.length < MAX_EARLY) this.#early.push(handle);
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
        version: WIRE_VERSION,
        room: toBase64url(room),
        token: toBase64url(token),
        seat: toBase64url(seat),
        seatSecret: toBase64url(seatSecret),
        ...(since && { since }),
      };
      let reply = checkReply(await inTime(this.#transport.join(request)), isJoined);
      if (reply.error?.code === 'NO_ROOM' && (since || moved)) {
        // The relay lost the room, or has not got it yet. Its members know everything that is needed to go on.
        await this.#create();
        reply = checkReply(await inTime(this.#transport.join(request)), isJoined);
      }
      if (reply.error) throw relayError(this.#options.url, reply.error);
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
      version: WIRE_VERSION,
      room: toBase64url(room),
      token: toBase64url(token),
      endToken: toBase64url(endToken),
      capacity: capacity(),
    };
    const { error } = await inTime(this.#transport.create(request));
    // Another member may have made it first, with an end token of its own: then joining tells whether it is our room.
    if (error && this.#epoch === undefined && !this.#options.moved) throw relayError(this.#options.url, error);
  }

  #up(answer: Joined): void {
    if (this.#closed) return;
    const joined = { ...answer, limits: checkedLimits(answer.limits) };
    const first = this.#epoch === undefined;
    const renewed = first ? this.#options.moved === true : this.#epoch !== joined.epoch;
    if (first) this.#seq = joined.head;
    else if (renewed) this.#seq = 0;
    this.#epoch = joined.epoch;
    this.#limits = joined.limits;
    this.#read = first ? this.#seq : Math.min(this.#read, this.#seq);
    this.#joined = this.#patient = true;
    clearTimeout(this.#firstTimer);
    if (joined.gap) this.#lost(joined.gap);
    this.emit('up', { ...joined, renewed });
    for (const handle of this.#early.splice(0)) handle();
    if (this.#joined) this.#pushes.start(joined.limits);
  }

  #joinFailed(error: unknown): void {
    const failure = QsecError.is(error) ? error : unreachable(this.#options.url, error);
    // Without a connection the next one joins by itself; with one, it is for us to ask again.
    const passing = failure.code === 'RELAY_UNREACHABLE' || failure.code === 'TIMEOUT' || failure.code === 'RATE_LIMITED';
    if (!passing || !this.#patient) {
      this.#refuse(failure);
      return;
    }
    this.emit('fault', failure);
    clearTimeout(this.#joinTimer);
    this.#joinTimer = setTimeout(() => void this.#join(), retryDelay(failure.details.retryAfterMs));
  }

  #unreachable(cause: unknown, final: boolean): void {
    const failure = final ? refusing(this.#options.url, cause) : unreachable(this.#options.url, cause);
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
    this.#pushes.stop();
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
}

/** @throws {QsecError} `TIMEOUT` */
async function inTime<T>(reply: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new QsecError('TIMEOUT', 'The relay did not answer in time.')), REQUEST_LIMIT_MS);
  });
  try {
    return await Promise.race([reply, late]);
  } finally {
    clearTimeout(timer);
  }
}

const closed = () => new QsecError('CLOSED', 'The connection to the relay was closed.');
