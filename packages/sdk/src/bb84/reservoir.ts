import { QsecError } from '../errors.ts';
import { Emitter, type Listener, type ListenOptions } from '../events.ts';
import { integer, invalid, listening, object, bytes as requireBytes } from './arguments.ts';

export interface ReservoirOptions {
  /** Makes more key: one agreement. Its whole bytes go into the pool. Called again and again, one call at a time. */
  refill: (options: { signal: AbortSignal }) => Promise<Uint8Array>;
  /** Bytes to hold; filling stops when they are there. Default 4096. */
  capacity?: number;
  /** Filling begins again when fewer bytes are left. Default: half of the capacity. */
  lowWater?: number;
  /** Milliseconds to wait after a failed agreement, doubled with each further failure up to 32 times. Default 1000. */
  retryDelay?: number;
}

export interface ReservoirEvents {
  /** The number of bytes held changed. */
  level: { available: number };
  /** An agreement failed; filling goes on after a delay. */
  error: { error: unknown };
}

/** A piece of the pool. */
export interface Drawn {
  key: Uint8Array;
  /** Where it lay in the stream of all key bytes ever made: what to tell the other side, so that it draws the same. */
  offset: number;
}

interface Waiting {
  bytes: number;
  resolve: (drawn: Drawn) => void;
  reject: (reason: unknown) => void;
}

/**
 * A pool of key that background agreements fill, so that a new key is there when it is wanted. Both sides' pools hold the same
 * bytes at the same offsets as long as both put in the same agreements in the same order. Nothing is ever drawn twice, and what
 * was drawn is overwritten in the pool.
 *
 * @example
 * ```ts
 * const pool = new Reservoir({ refill: async ({ signal }) => (await agree({ signal })).alice });
 * const { key } = await pool.draw(32);
 * ```
 */
export class Reservoir {
  readonly #options: Required<ReservoirOptions>;
  readonly #emitter = new Emitter<ReservoirEvents>();
  readonly #stop = new AbortController();
  readonly #waiting: Waiting[] = [];
  #pool = new Uint8Array(0);
  #offset = 0;
  #filling = false;

  /** @throws QsecError `INVALID_ARGUMENT` when an option is out of range. */
  constructor(options: ReservoirOptions) {
    const { refill, capacity = 4096, retryDelay = 1000 } = object('options', options);
    if (typeof refill !== 'function') throw invalid('refill', 'a function', refill);
    integer('capacity', capacity, 1, 2 ** 26);
    const { lowWater = capacity >>> 1 } = options;
    integer('lowWater', lowWater, 0, capacity);
    integer('retryDelay', retryDelay, 0, 2 ** 26);
    this.#options = { refill, capacity, lowWater, retryDelay };
    this.#fill();
  }

  /** Bytes that can be drawn at once. */
  get available(): number {
    return this.#pool.length;
  }

  on<K extends keyof ReservoirEvents>(name: K, listener: Listener<ReservoirEvents[K]>, options?: ListenOptions): () => void {
    listening(name, listener, ['level', 'error']);
    return this.#emitter.on(name, listener, options);
  }

  /** Takes `bytes` bytes out of the pool, if they are there. */
  drawNow(bytes: number): Drawn | undefined {
    this.#require(bytes);
    if (this.#waiting.length > 0 || bytes > this.#pool.length) return undefined;
    return this.#take(bytes);
  }

  /**
   * Takes `bytes` bytes out of the pool as soon as they are there. Requests are served in order.
   *
   * @throws QsecError `CLOSED` when the reservoir is closed first; the signal's reason when it is aborted first.
   */
  draw(bytes: number, { signal }: { signal?: AbortSignal } = {}): Promise<Drawn> {
    this.#require(bytes);
    signal?.throwIfAborted();
    const now = this.drawNow(bytes);
    if (now) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { bytes, resolve, reject };
      const abort = (): void => {
        const index = this.#waiting.indexOf(waiting);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal?.reason);
        this.#serve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      waiting.resolve = (drawn) => {
        signal?.removeEventListener('abort', abort);
        resolve(drawn);
      };
      this.#waiting.push(waiting);
      this.#fill();
    });
  }

  /** Stops filling, overwrites what is left and rejects whoever waits. */
  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new QsecError('CLOSED', 'The reservoir was closed'));
    this.#pool.fill(0);
    this.#pool = new Uint8Array(0);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#stop.signal.reason);
  }

  #require(bytes: number): void {
    integer('bytes', bytes, 1, this.#options.capacity);
    this.#stop.signal.throwIfAborted();
  }

  #take(bytes: number): Drawn {
    const drawn = { key: this.#pool.slice(0, bytes), offset: this.#offset };
    const rest = this.#pool.slice(bytes);
    this.#pool.fill(0);
    this.#pool = rest;
    this.#offset += bytes;
    this.#emitter.emit('level', { available: rest.length });
    if (rest.length < this.#options.lowWater) this.#fill();
    return drawn;
  }

  #put(key: Uint8Array): void {
    const grown = new Uint8Array(this.#pool.length + key.length);
    grown.set(this.#pool);
    grown.set(key, this.#pool.length);
    this.#pool.fill(0);
    this.#pool = grown;
    this.#emitter.emit('level', { available: grown.length });
    this.#serve();
  }

  #serve(): void {
    for (let first = this.#waiting[0]; first && first.bytes <= this.#pool.length; first = this.#waiting[0]) {
      this.#waiting.shift();
      first.resolve(this.#take(first.bytes));
    }
  }

  /** Starts the background work unless it is at it already. */
  #fill(): void {
    if (this.#filling || this.#stop.signal.aborted) return;
    this.#filling = true;
    // Nobody awaits the background work: its failures are events, and it ends when the reservoir is closed.
    void this.#work().finally(() => {
      this.#filling = false;
      if (this.#wantsMore()) this.#fill();
    });
  }

  #wantsMore(): boolean {
    if (this.#stop.signal.aborted) return false;
    return this.#waiting.length > 0 || this.#pool.length < this.#options.lowWater;
  }

  async #work(): Promise<void> {
    const { refill, capacity, retryDelay } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted && (this.#pool.length < capacity || this.#waiting.length > 0); ) {
      try {
        const key = requireBytes('refill', await refill({ signal }));
        if (signal.aborted) key.fill(0);
        else this.#put(key);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#emitter.emit('error', { error });
        await pause(retryDelay * 2 ** Math.min(5, failures++), signal);
      }
    }
  }
}

/** Waits, at most until the signal is aborted. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
