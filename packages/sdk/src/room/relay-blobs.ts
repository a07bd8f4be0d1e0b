import { QsecError } from '../errors.ts';
import type { BlobPort } from '../media/blob-port.ts';
import type { RelaySession } from '../transport/relay-session.ts';
import type { BlobTransport } from '../transport/transport.ts';

/** The room's transfers together keep to what the relay takes from one connection at a time. */
export class RelayBlobs implements BlobPort {
  readonly #session: () => RelaySession;
  readonly #arrivals = new Set<() => void>();
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  /** @param session our seat at the present place of the room */
  constructor(session: () => RelaySession) {
    this.#session = session;
  }

  /** This member has its seat, the first time or again. */
  arrived(): void {
    for (const arrived of [...this.#arrivals]) arrived();
  }

  /** Resolves when this member has its seat. */
  ready(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#session().joined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => () => {
        this.#arrivals.delete(arrived);
        signal.removeEventListener('abort', aborted);
        how();
      };
      const arrived = settle(resolve);
      const aborted = settle(() => reject(signal.reason));
      this.#arrivals.add(arrived);
      signal.addEventListener('abort', aborted);
    });
  }

  put: BlobPort['put'] = (request, chunk, signal) =>
    this.#one((blobs) => {
      signal.throwIfAborted();
      return blobs.put(request, chunk);
    });
  get: BlobPort['get'] = (request) => this.#one((blobs) => blobs.get(request));
  drop: BlobPort['drop'] = (request) => this.#one((blobs) => blobs.drop(request));

  /** Runs a request when its turn comes. Turns are given in the order they were asked for. */
  async #one<T>(request: (blobs: BlobTransport) => Promise<T>): Promise<T> {
    const most = this.#session().limits?.blobs?.inFlight ?? 1;
    if (this.#inFlight >= most) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#inFlight++;
    try {
      const { joined, blobs } = this.#session();
      if (!joined) throw new QsecError('RELAY_UNREACHABLE', 'There is no connection to the relay at the moment.');
      if (!blobs) throw new QsecError('UNSUPPORTED', 'This relay keeps no files.');
      return await request(blobs);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inFlight--;
    }
  }
}
