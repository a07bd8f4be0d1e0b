/** Relays that share a database say so often that they are alive. */
export const BEAT_MS = 1000;
/** So long without having said so, and the operator is told: others take a relay for dead after {@link DEAD_AFTER_MS}. */
export const LATE_MS = 3000;
export const DEAD_AFTER_MS = 10_000;

export interface HeartbeatObserver {
  /** The relay could not say that it is alive for so many milliseconds, and still cannot. Told once, until it can. */
  heartbeatLate(ms: number): void;
  /** It has said so again, after so many milliseconds. */
  heartbeatBack(ms: number): void;
  failed(error: unknown): void;
}

/**
 * Says that this relay is alive, from a timer of its own and, so its maker should see to it, over a connection of its own: whatever
 * else the relay waits for, the others do not take it for dead.
 */
export class Heartbeat {
  readonly #beat: () => Promise<unknown>;
  readonly #observer: HeartbeatObserver;
  readonly #timer: NodeJS.Timeout;
  /** When the last one was known to have arrived. */
  #arrived = performance.now();
  #underWay: Promise<void> | undefined;
  #late = false;

  constructor(beat: () => Promise<unknown>, observer: HeartbeatObserver) {
    this.#beat = beat;
    this.#observer = observer;
    this.#timer = setInterval(() => this.#tick(), BEAT_MS);
    this.#timer.unref();
  }

  /** Milliseconds since the relay last said that it is alive. */
  get age(): number {
    return performance.now() - this.#arrived;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
  }

  #tick(): void {
    this.#notice();
    this.#underWay ??= this.#send().finally(() => {
      this.#underWay = undefined;
    });
  }

  async #send(): Promise<void> {
    try {
      await this.#beat();
    } catch (error) {
      this.#observer.failed(error);
      return;
    }
    // The event loop may have stood still, without a tick since.
    this.#notice();
    if (this.#late) this.#observer.heartbeatBack(this.age);
    this.#late = false;
    this.#arrived = performance.now();
  }

  #notice(): void {
    if (this.#late || this.age <= LATE_MS) return;
    this.#late = true;
    this.#observer.heartbeatLate(this.age);
  }
}
