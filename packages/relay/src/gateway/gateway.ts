import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { type ClientToRelay, RELAY_PATH, type RelayLimits, type RelayToClient } from '@qsec2/sdk/wire';
import { Server } from 'socket.io';
import { type ServerOptions as WebSocketOptions, WebSocketServer } from 'ws';
import type { RelaySettings } from '../config/settings.ts';
import { ClientAddresses } from './addresses.ts';
import { Admission } from './admission.ts';
import { type EngineConnection, Intake } from './intake.ts';
import { boundedParser } from './packets.ts';
import { Session, type SessionOptions } from './session.ts';
import { type RelaySocket, SocketLink } from './socket-link.ts';

/** Room for the fields around the bodies of one `push` event. */
const PUSH_OVERHEAD_BYTES = 128 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const PING_INTERVAL_MS = 25_000;
const PING_TIMEOUT_MS = 20_000;

/** How long clients are asked to wait before they come back after a stop. */
const RETRY_AFTER_MS = 500;
const RETRY_JITTER_MS = 2000;

/** A message comes in at most so many fragments, and waits in at most so many pieces. */
const MAX_FRAGMENTS = 64;
const MAX_CHUNKS = 4096;
/** How long clients have to take what waits for them when the relay stops. */
const FAREWELL_MS = 2000;
const SWEEP_MS = 60_000;

/** Engine.IO makes its WebSocket server with options of its own; these are added. */
class BoundedWebSocketServer extends WebSocketServer {
  constructor(options: WebSocketOptions) {
    super({ ...options, maxFragments: MAX_FRAGMENTS, maxBufferedChunks: MAX_CHUNKS } as WebSocketOptions);
  }

  /** Engine.IO asks nobody whether a connection may be added to a session that exists; there is no use for one here. */
  override shouldHandle(request: IncomingMessage): boolean {
    return !new URL(request.url ?? '', 'http://localhost').searchParams.has('sid');
  }

  /** The answer to the handshake and Engine.IO's greeting, which it makes in the same turn, leave together. */
  override handleUpgrade(...[request, socket, head, opened]: Parameters<WebSocketServer['handleUpgrade']>): void {
    socket.cork();
    setImmediate(() => socket.uncork());
    super.handleUpgrade(request, socket, head, opened);
  }
}

/** In the place of Socket.IO's rooms, which nobody joins here. */
class NoRooms {
  init(): void {}
  close(): void {}
  addAll(): void {}
  delAll(): void {}
}

export interface GatewayOptions extends Omit<SessionOptions, 'admission'> {
  /** Name of this relay among those that share rooms. */
  node: string;
  limits: RelayLimits;
  /** Whether the operator refuses an address. */
  isBlocked(address: string): boolean;
}

/** The Socket.IO endpoint: WebSocket only, one namespace, nothing compressed, everything bounded. */
export class Gateway {
  readonly #io: Server<ClientToRelay, RelayToClient>;
  readonly addresses: ClientAddresses;
  readonly #clients = new WeakMap<IncomingMessage, string>();
  readonly #intakes = new WeakMap<object, Intake>();
  /** Who is connected, and from where. */
  readonly #links = new Map<SocketLink, string>();
  readonly #timer: NodeJS.Timeout;
  readonly #options: GatewayOptions;
  readonly admission: Admission;

  constructor(options: GatewayOptions) {
    const { settings, limits, metrics } = options;
    this.#options = options;
    this.addresses = new ClientAddresses(settings.trustedProxies);
    this.admission = new Admission(settings);
    this.#timer = setInterval(() => this.admission.sweep(), SWEEP_MS);
    this.#timer.unref();
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
      adapter: NoRooms as never,
      parser: boundedParser(() => void metrics.misbehaved++),
      wsEngine: BoundedWebSocketServer,
      allowRequest: (request, done) => done(null, this.#admits(request)),
    });
    const sessionOptions: SessionOptions = { ...options, admission: this.admission };
    this.#io.on('connection', (socket) => {
      const address = this.#clients.get(socket.request);
      const intake = this.#intakes.get(socket.conn);
      if (address === undefined || intake === undefined) {
        // It had a session already, whose handshake is forgotten: a connection has one.
        socket.conn.close();
        return;
      }
      forgetRequest(socket);
      const link = new SocketLink(socket, intake.reading, options.node);
      const session = new Session(socket, link, intake, address, sessionOptions);
      this.#links.set(link, address);
      socket.once('disconnect', () => {
        this.#links.delete(link);
        session.disconnected();
      });
    });
  }

  attach(server: HttpServer): void {
    this.#io.attach(server);
    const { settings } = this.#options;
    this.#io.engine.on('connection', (conn: EngineConnection) => this.#intakes.set(conn, new Intake(conn, settings)));
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Tells everyone to come back later. */
  sayBye(): void {
    for (const link of this.#links.keys()) link.send('bye', { retryAfterMs: RETRY_AFTER_MS, jitterMs: RETRY_JITTER_MS });
  }

  /** Closes what addresses have open that are refused from now on. */
  cutOff(isRefused: (address: string) => boolean): void {
    for (const [link, address] of this.#links) if (isRefused(address)) link.terminate();
  }

  /** Closes every connection, and the server the gateway is attached to. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const links = [...this.#links.keys()];
    for (const link of links) link.close();
    const cut = setTimeout(() => {
      for (const link of links) link.terminate();
    }, FAREWELL_MS);
    await this.#io.close();
    clearTimeout(cut);
  }

  #admits(request: IncomingMessage): boolean {
    const address = this.addresses.of(request);
    const admitted =
      mayConnect(this.#options.settings.origins, request.headers.origin) &&
      !this.#options.isBlocked(address) &&
      this.admission.opened(address);
    if (!admitted) {
      this.#options.metrics.connectionsRefused++;
      return false;
    }
    this.#clients.set(request, address);
    request.socket.once('close', () => this.admission.closed(address));
    return true;
  }
}

/** The handshake's headers and addresses are a large part of an idle connection's memory, and nobody needs them any more. */
function forgetRequest(socket: RelaySocket): void {
  const { request } = socket;
  Object.assign(request, { headers: undefined, rawHeaders: undefined, url: undefined, _query: undefined });
  Object.assign(socket.conn, { request: undefined, remoteAddress: undefined });
  Object.assign(socket, { handshake: undefined });
}

/** Browsers say where a page comes from; other clients do not, and cannot be told apart by what they say. */
function mayConnect(origins: RelaySettings['origins'], origin: string | undefined): boolean {
  return origins === '*' || origin === undefined || origins.includes(origin);
}
