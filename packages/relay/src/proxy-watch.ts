import type { Logger } from 'pino';
import type { EventRecorder } from './events/recorder.ts';
import type { ClientAddresses } from './gateway/addresses.ts';

const LOOK_EVERY_MS = 1000;
/** A client that lies cannot fill the log with it. */
const TELL_EVERY_MS = 3_600_000;

export const UNNAMED_PROXY =
  'X-Forwarded-For came from a peer that is not in RELAY_TRUSTED_PROXIES. If that is your proxy, name it: until then everyone behind it counts as one address, for which RELAY_MAX_PER_ADDRESS is the limit';

/** Tells the operator of a proxy that nobody named, which puts all who come over it under the limits of one address. */
export class ProxyWatch {
  readonly #addresses: ClientAddresses;
  readonly #log: Logger;
  readonly #events: EventRecorder;
  readonly #timer: NodeJS.Timeout;
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(addresses: ClientAddresses, log: Logger, events: EventRecorder) {
    this.#addresses = addresses;
    this.#log = log;
    this.#events = events;
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** @param now monotonic milliseconds */
  look(now: number): void {
    const requests = this.#addresses.notBelieved - this.#told;
    if (requests === 0 || now - this.#toldAt < TELL_EVERY_MS) return;
    this.#told += requests;
    this.#toldAt = now;
    this.#log.warn({ requests }, UNNAMED_PROXY);
    this.#events.record({ kind: 'proxy-not-named', n: requests });
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
