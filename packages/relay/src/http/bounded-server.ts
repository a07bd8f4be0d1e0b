import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { RelaySettings } from '../config/settings.ts';
import type { ClientAddresses } from '../gateway/addresses.ts';

/** A client that takes its time over a request is cut; these are looked at every few seconds. */
const LIMITS = { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16_384, connectionsCheckingInterval: 5000 };
/** A connection over which nothing moves for so long is cut, unless it became a WebSocket. */
const IDLE_MS = 30_000;
/** TCP connections for each WebSocket that may be open: requests over HTTP come besides. */
const PER_WEB_SOCKET = 2;

export interface BoundedServerOptions {
  settings: Pick<RelaySettings, 'maxConnections' | 'maxPerAddress'>;
  addresses: ClientAddresses;
  /** Whether somebody takes the upgrade of a request to this URL. */
  upgrades(url: string): boolean;
  refused(): void;
}

/** A server whose connections are few and busy, whatever clients do before or instead of opening a WebSocket. */
export function boundedServer(listener: RequestListener, options: BoundedServerOptions): HttpServer {
  const { settings, addresses, upgrades, refused } = options;
  const server = createServer(LIMITS, listener);
  server.timeout = IDLE_MS;
  server.maxConnections = settings.maxConnections * PER_WEB_SOCKET;
  server.on('drop', refused);
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = addresses.ofPeer(socket);
    // Everyone comes over a proxy; it has caps of its own.
    if (address === undefined) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > settings.maxPerAddress * PER_WEB_SOCKET) {
      refused();
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
  // Nobody reads from such a connection any more, so nothing would ever end it.
  server.on('upgrade', ({ url = '' }, socket) => {
    if (!upgrades(url)) socket.destroy();
  });
  return server;
}
