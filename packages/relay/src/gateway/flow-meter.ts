import { TokenBucket } from './token-bucket.ts';

/** Longest the relay stops reading from a client at a time: heartbeats have to get through. */
const MAX_PAUSE_MS = 5000;
/** A pause worth telling the client about. */
const TELL_FROM_MS = 50;

export interface FlowMeterOptions {
  /** A second. */
  rateFrames: number;
  rateBytes: number;
  /** Stops reading for so long. */
  pause(ms: number): void;
  tell(pauseMs: number): void;
}

/**
 * Holds one client to its rate. What is too fast is not refused: the relay stops reading until the rate is met again, and the
 * network slows the client down.
 */
export class FlowMeter {
  readonly #options: FlowMeterOptions;
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;

  constructor(options: FlowMeterOptions, now: number) {
    this.#options = options;
    // Two seconds' worth at once.
    this.#frames = new TokenBucket(options.rateFrames, options.rateFrames * 2, now);
    this.#bytes = new TokenBucket(options.rateBytes, options.rateBytes * 2, now);
  }

  count(frames: number, bytes: number, now: number): void {
    const wait = Math.max(this.#frames.spend(frames, now), this.#bytes.spend(bytes, now));
    if (wait === 0) return;
    const pauseMs = Math.min(wait, MAX_PAUSE_MS);
    if (pauseMs >= TELL_FROM_MS) this.#options.tell(pauseMs);
    this.#options.pause(pauseMs);
  }
}
