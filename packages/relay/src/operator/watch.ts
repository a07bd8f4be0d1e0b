import type { Clock } from '../clock.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Hasher } from '../hashes.ts';
import type { Store } from '../store/store.ts';
import { Blocks } from './blocks.ts';
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
  /** Others are blocked than a moment ago. */
  blocked(isBlocked: (address: string) => boolean): void;
  onError(error: unknown): void;
}

/** Carries out what the operator ordered, and keeps the event log to its time. */
export class OperatorWatch {
  readonly #options: OperatorWatchOptions;
  readonly #timers: NodeJS.Timeout[];
  #blocks: Blocks;
  #keys = '';
  #looking: Promise<void> = Promise.resolve();

  constructor(options: OperatorWatchOptions) {
    this.#options = options;
    this.#blocks = new Blocks(options.hasher, []);
    const every = (ms: number, work: () => Promise<void>) => {
      const timer = setInterval(() => {
        this.#looking = this.#looking.then(work).catch(options.onError);
      }, ms);
      return timer.unref();
    };
    this.#timers = [every(LOOK_EVERY_MS, () => this.look()), every(PRUNE_EVERY_MS, () => this.prune())];
  }

  isBlocked(address: string): boolean {
    return this.#blocks.has(address);
  }

  async look(): Promise<void> {
    const { orders, store, clock } = this.#options;
    this.#take(await orders.blocked(clock.now()));
    for (const room of await orders.takeRoomsToEnd()) await store.end(room);
  }

  #take(keys: readonly string[]): void {
    const now = keys.toSorted().join();
    if (now === this.#keys) return;
    this.#keys = now;
    this.#blocks = new Blocks(this.#options.hasher, keys);
    this.#options.blocked((address) => this.isBlocked(address));
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
