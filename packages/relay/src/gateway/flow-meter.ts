import type { RelaySettings } from '../config/settings.ts';
import { TokenBucket } from './token-bucket.ts';

/** Longest the relay stops reading from a client at a time: heartbeats have to get through. */
const MAX_PAUSE_MS = 5000;

/**
 * Holds one client to its rate. What is too fast is not refused: the relay stops reading until the rate is met again, and the
 * network slows the client down.
 */
export class FlowMeter {
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;

  /** @param now monotonic milliseconds */
  constructor({ rateFrames, rateBytes }: Pick<RelaySettings, 'rateFrames' | 'rateBytes'>, now: number) {
    // Two seconds' worth at once.
    this.#frames = new TokenBucket(rateFrames, rateFrames * 2, now);
    this.#bytes = new TokenBucket(rateBytes, rateBytes * 2, now);
  }

  /** @returns for how long the client is not to be read from, milliseconds; 0 when it keeps to its rate. */
  count(frames: number, bytes: number, now: number): number {
    const wait = Math.max(this.#frames.spend(frames, now), this.#bytes.spend(bytes, now));
    return Math.min(wait, MAX_PAUSE_MS);
  }
}
