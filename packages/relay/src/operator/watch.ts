import type { Clock } from '../clock.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Hasher } from '../hashes.ts';
import type { Store } from '../store/store.ts';
import type { Orders } from './orders.ts';

const LOOK_EVERY_MS = 1000;
const PRUNE_EVERY_MS = 60_000;

export interface OperatorWatchOptions {
  orders: Orders;
  store: Store;
  eventLog: EventLog;
  hasher: Hasher;
  clock: Clock;
  eventRetentionMs: number;
  onError(error: unknown): void;
}

/** Carries out what the operator ordered, and keeps the event log to its time. */
export class OperatorWatch {
  readonly #options: OperatorWatchOptions;
  readonly #timers: NodeJS.Timeout[];
  #blocked = new Set<string>();
  #looking: Promise<void> = Promise.resolve();

  constructor(options: OperatorWatchOptions) {
    this.#options = options;
    const every = (ms: number, work: () => Promise<void>) => {
      const timer = setInterval(() => {
        this.#looking = this.#looking.then(work).catch(options.onError);
      }, ms);
      return timer.unref();
    };
    this.#timers = [every(LOOK_EVERY_MS, () => this.look()), every(PRUNE_EVERY_MS, () => this.prune())];
  }

  isBlocked(address: string): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(this.#options.hasher.name('address', address));
  }

  async look(): Promise<void> {
    const { orders, store, clock } = this.#options;
    this.#blocked = await orders.blocked(clock.now());
    for (const room of await orders.takeRoomsToEnd()) await store.end(room);
  }

  async prune(): Promise<void> {
    const { eventLog, clock, eventRetentionMs } = this.#options;
    await eventLog.prune(clock.now() - eventRetentionMs);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#looking;
  }
}
