import type { Server as HttpServer } from 'node:http';
import { type ClientToRelay, RELAY_PATH, type RelayLimits, type RelayToClient } from '@qsec2/sdk/wire';
import { Server } from 'socket.io';
import type { RelaySettings } from '../config/settings.ts';
import { Session, type SessionOptions } from './session.ts';
import { SocketLink } from './socket-link.ts';

/** Room for the fields around the bodies of one `push` event. */
const PUSH_OVERHEAD_BYTES = 128 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const PING_INTERVAL_MS = 25_000;
const PING_TIMEOUT_MS = 20_000;

/** How long clients are asked to wait before they come back after a stop. */
const RETRY_AFTER_MS = 500;
const RETRY_JITTER_MS = 2000;

export interface GatewayOptions extends SessionOptions {
  settings: RelaySettings;
  /** Name of this relay among those that share rooms. */
  node: string;
  limits: RelayLimits;
}

/** The Socket.IO endpoint: WebSocket only, one namespace, nothing compressed, everything bounded. */
export class Gateway {
  readonly #io: Server<ClientToRelay, RelayToClient>;

  constructor(options: GatewayOptions) {
    const { settings, limits } = options;
    this.#io = new Server({
      path: RELAY_PATH,
      transports: ['websocket'],
      serveClient: false,
      perMessageDeflate: false,
      httpCompression: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      maxHttpBufferSize: limits.inFlightBytes + limits.frameBytes + PUSH_OVERHEAD_BYTES,
      cors: { origin: settings.origins === '*' ? '*' : [...settings.origins] },
      allowRequest: ({ headers }, done) => done(null, mayConnect(settings.origins, headers.origin)),
    });
    this.#io.on('connection', (socket) => {
      // The handshake's request holds headers and addresses, and is a large part of an idle connection's memory.
      Object.assign(socket.conn, { request: undefined });
      new Session(socket, new SocketLink(socket, options.node), options);
    });
  }

  attach(server: HttpServer): void {
    this.#io.attach(server);
  }

  get connections(): number {
    return this.#io.engine.clientsCount;
  }

  /** Tells everyone to come back later. */
  sayBye(): void {
    this.#io.emit('bye', { retryAfterMs: RETRY_AFTER_MS, jitterMs: RETRY_JITTER_MS });
  }

  /** Closes every connection, and the server the gateway is attached to. */
  async close(): Promise<void> {
    await this.#io.close();
  }
}

/** Browsers say where a page comes from; other clients do not, and cannot be told apart by what they say. */
function mayConnect(origins: RelaySettings['origins'], origin: string | undefined): boolean {
  return origins === '*' || origin === undefined || origins.includes(origin);
}
