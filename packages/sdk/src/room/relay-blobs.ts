import { QsecError } from '../errors.ts';
import type { BlobPort } from '../media/blob-port.ts';
import type { RelaySession } from '../transport/relay-session.ts';
import type { BlobTransport } from '../transport/transport.ts';

/** The room's transfers together keep to what the relay takes from one connection at a time. */
export class RelayBlobs implements BlobPort {
  readonly #session: RelaySession;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  constructor(session: RelaySession) {
    this.#session = session;
  }

  /** Resolves when this member has its seat. */
  ready(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#session.joined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => () => {
        up();
        signal.removeEventListener('abort', aborted);
        how();
      };
      const up = this.#session.on('up', () => settle(resolve)());
      const aborted = settle(() => reject(signal.reason));
      signal.addEventListener('abort', aborted);
    });
  }

  put: BlobPort['put'] = (request, chunk) => this.#one((blobs) => blobs.put(request, chunk));
  get: BlobPort['get'] = (request) => this.#one((blobs) => blobs.get(request));
  drop: BlobPort['drop'] = (request) => this.#one((blobs) => blobs.drop(request));

  /** Runs a request when its turn comes. Turns are given in the order they were asked for. */
  async #one<T>(request: (blobs: BlobTransport) => Promise<T>): Promise<T> {
    const most = this.#session.limits?.blobs?.inFlight ?? 1;
    if (this.#inFlight >= most) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#inFlight++;
    try {
      if (!this.#session.joined) throw new QsecError('RELAY_UNREACHABLE', 'There is no connection to the relay at the moment.');
      const { blobs } = this.#session;
      if (!blobs) throw new QsecError('UNSUPPORTED', 'This relay keeps no files.');
      return await request(blobs);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inFlight--;
    }
  }
}
