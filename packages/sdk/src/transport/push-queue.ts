import { QsecError } from '../errors.ts';
import { type Ack, compareBytes, encodePushes, MAX_PUSHES, type Push, type RelayError, type RelayLimits } from '../wire/index.ts';
import { isPassing, relayError, retryDelay } from './relay-error.ts';

export interface PushOptions {
  /** Seats it is for; everyone unless given. */
  to?: readonly Uint8Array[];
  /** Not kept by the relay: of use now or never. */
  transient?: boolean;
  /** Asked before it goes out, each time: what is no longer wanted stays here. */
  wanted?: () => boolean;
}

interface Outgoing {
  /** Counts up in the order in which they were handed over. */
  number: number;
  push: Push;
  wanted: (() => boolean) | undefined;
  resolve(): void;
  reject(error: QsecError): void;
}

export interface PushQueueOptions {
  /** Named in errors. */
  relay: URL;
  send(frames: Uint8Array): void;
  /** The relay takes nothing for now. Told once, until it takes something again. */
  refused(error: QsecError): void;
  /** The relay does not say whether it has what was pushed. Told once, until it answers again. */
  unanswered(error: QsecError): void;
}

const CID_BYTES = 16;
/** What waits for a relay that is away, all told: well above what members keep of messages that nobody confirmed. */
const MAX_WAITING = 16_384;
const MAX_WAITING_BYTES = 67_108_864;
/** How long a relay may take to acknowledge the oldest push of a connection. */
const ACK_LIMIT_MS = 30_000;
/** Longest pause a relay is granted at a time. */
const MAX_PAUSE_MS = 30_000;

/**
 * What a member pushes, until the relay answers that it has it safe: bounded by the relay's limits, pushed again under the same client id
 * on the next connection, and when the relay refused it for now.
 */
export class PushQueue {
  readonly #options: PushQueueOptions;
  /** First those pushed on this connection, `#inFlight` of them, then those that wait; oldest first in each part. */
  readonly #queue: Outgoing[] = [];
  #bytes = 0;
  #handedOver = 0;
  #inFlight = 0;
  #inFlightBytes = 0;
  /** Pushes of this connection that were answered. */
  #answered = 0;
  /** Undefined: no connection. */
  #limits: RelayLimits | undefined;
  #flushing = false;
  /** In the time of `performance.now()`, which nobody sets; undefined: not paused. */
  #pausedUntil: number | undefined;
  #pauseTimer: ReturnType<typeof setTimeout> | undefined;
  #refusing = false;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #silent = false;

  constructor(options: PushQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#queue.length;
  }

  /**
   * Resolves when the relay has it safe, or when it is not wanted any more; rejects with what the relay refuses it with for good.
   * @throws {QsecError} `RATE_LIMITED` while too much waits
   */
  push(body: Uint8Array, { to, transient, wanted }: PushOptions): Promise<void> {
    const cid = crypto.getRandomValues(new Uint8Array(CID_BYTES));
    const push: Push = { cid, body, ...(to && { to: [...to].sort(compareBytes) }), ...(transient && { transient }) };
    if (this.#queue.length >= MAX_WAITING || this.#bytes + body.length > MAX_WAITING_BYTES) return Promise.reject(full());
    this.#bytes += body.length;
    return new Promise((settle, fail) => {
      const resolve = () => {
        this.#bytes -= body.length;
        settle();
      };
      const reject = (error: QsecError) => {
        this.#bytes -= body.length;
        fail(error);
      };
      this.#queue.push({ number: ++this.#handedOver, push, wanted, resolve, reject });
      // One turn later, so that frames made together travel together.
      if (this.#flushing) return;
      this.#flushing = true;
      queueMicrotask(() => {
        this.#flushing = false;
        this.#flush();
      });
    });
  }

  /** On a new connection, which knows of no push. */
  start(limits: RelayLimits): void {
    this.stop();
    this.#limits = limits;
    this.#flush();
  }

  /** There is no connection. */
  stop(): void {
    this.#limits = undefined;
    this.#watch(false);
    this.#inFlight = 0;
    this.#inFlightBytes = 0;
    this.#answered = 0;
    this.#queue.sort(byNumber);
  }

  /** The seat is about to be given up: what waits goes out as far as it may, and nothing after it. */
  finish(): void {
    this.#flush();
    this.stop();
  }

  close(error: QsecError): void {
    this.stop();
    clearTimeout(this.#pauseTimer);
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }

  acknowledge({ upTo, seq, refused = [] }: Ack): void {
    // Answers to pushes that were answered before, or that this connection never made, say nothing.
    const fresh = upTo - this.#answered;
    if (fresh <= 0 || fresh > this.#inFlight) return;
    this.#silent = false;
    this.#watch(false);
    const again: Outgoing[] = [];
    let waitMs = 0;
    for (let i = 0; i < fresh; i++) {
      const outgoing = this.#queue.shift() as Outgoing;
      const number = ++this.#answered;
      this.#inFlight--;
      this.#inFlightBytes -= outgoing.push.body.length;
      if (seq[seq.length - fresh + i] !== -1) {
        this.#refusing = false;
        outgoing.resolve();
        continue;
      }
      const refusal = refused.find(({ push }) => push === number)?.error;
      if (!refusal || !isPassing(refusal)) outgoing.reject(refusal ? relayError(this.#options.relay, refusal) : unexplained());
      else if (outgoing.push.transient) outgoing.resolve();
      else {
        again.push(outgoing);
        waitMs = Math.max(waitMs, retryDelay(refusal.retryAfterMs));
        this.#tell(refusal);
      }
    }
    if (again.length > 0) this.#pushAgain(again, waitMs);
    this.#flush();
  }

  /** Nothing is pushed for so long. */
  pause(ms: number): void {
    const now = performance.now();
    this.#pausedUntil = Math.max(this.#pausedUntil ?? now, now + Math.min(ms, MAX_PAUSE_MS));
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => {
      this.#pausedUntil = undefined;
      this.#flush();
    }, this.#pausedUntil - now);
  }

  #tell(refusal: RelayError): void {
    if (!this.#refusing) this.#options.refused(relayError(this.#options.relay, refusal));
    this.#refusing = true;
  }

  /** They go before what was handed over after them. Only what is in flight by now can overtake them. */
  #pushAgain(again: readonly Outgoing[], afterMs: number): void {
    this.#queue.push(...[...again, ...this.#queue.splice(this.#inFlight)].sort(byNumber));
    this.pause(afterMs);
  }

  /** Sends what the relay's limits allow, in order. */
  #flush(): void {
    if (!this.#limits || this.#pausedUntil !== undefined) return;
    const { inFlightFrames, inFlightBytes, frameBytes } = this.#limits;
    let bundle: Push[] = [];
    let bundleBytes = 0;
    const send = () => {
      if (bundle.length > 0) this.#options.send(encodePushes(bundle));
      bundle = [];
      bundleBytes = 0;
    };
    while (this.#inFlight < this.#queue.length && this.#inFlight < inFlightFrames) {
      const { push, wanted, resolve } = this.#queue[this.#inFlight] as Outgoing;
      if (wanted?.() === false) {
        this.#queue.splice(this.#inFlight, 1);
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
    this.#watch(this.#inFlight > 0);
  }

  /** Counts from the last answer, or from the first push after it. */
  #watch(waiting: boolean): void {
    if (!waiting) {
      clearTimeout(this.#ackTimer);
      this.#ackTimer = undefined;
      return;
    }
    this.#ackTimer ??= setTimeout(() => {
      if (!this.#silent) this.#options.unanswered(unanswered());
      this.#silent = true;
    }, ACK_LIMIT_MS);
    // In Node a relay that does not answer must not keep a finished script alive.
    (this.#ackTimer as { unref?: () => void }).unref?.();
  }
}

const byNumber = (a: Outgoing, b: Outgoing): number => a.number - b.number;
const unexplained = () => new QsecError('RELAY_REFUSED', 'The relay did not take a frame.');

const unanswered = () =>
  new QsecError(
    'TIMEOUT',
    `The relay has not acknowledged a frame for ${ACK_LIMIT_MS / 1000} s. What it did not take is sent again on the next connection.`,
  );

const full = () =>
  new QsecError(
    'RATE_LIMITED',
    'More waits for the relay than is kept: send again once it is reachable and has taken some of it.',
  );
