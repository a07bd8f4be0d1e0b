import { io, type Socket } from 'socket.io-client';
import { QsecError } from '../errors.ts';
import { type ClientToRelay, RELAY_PATH, type RelayToClient, type Reply } from '../wire/index.ts';
import { unreachable } from './relay-error.ts';
import { isBye } from './relay-messages.ts';
import type { Transport, TransportFactory } from './transport.ts';

/** The way to a relay over Socket.IO, WebSocket only. Reconnection is the library's. */

const REQUEST_TIMEOUT_MS = 10_000;
/** Chunks of files wait for each other on a slow connection. */
const BLOB_TIMEOUT_MS = 60_000;
/** However long a relay that stops asks us to stay away. A timer of more than 2³¹ ms would ring at once. */
const MAX_RETURN_MS = 60_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
const JITTER = 0.5;

/** Socket.IO hands binary over as ArrayBuffer in browsers and as Buffer in Node. */
function asBytes(binary: ArrayBuffer | Uint8Array): Uint8Array {
  if (binary instanceof Uint8Array) return binary;
  // Anything else is no batch; a number would be taken for a length to allocate.
  return binary instanceof ArrayBuffer ? new Uint8Array(binary) : new Uint8Array(0);
}

export const socketIoTransport: TransportFactory = (url, handlers) => {
  const socket: Socket<RelayToClient, ClientToRelay> = io(url.origin, {
    path: url.pathname.replace(/\/$/, '') + RELAY_PATH,
    transports: ['websocket'],
    forceNew: true,
    timeout: REQUEST_TIMEOUT_MS,
    reconnectionDelay: FIRST_BACKOFF_MS,
    reconnectionDelayMax: MAX_BACKOFF_MS,
    randomizationFactor: JITTER,
  });
  let comeBack: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  socket.on('connect', () => handlers.open());
  socket.on('disconnect', (reason) => {
    if (closed) return;
    handlers.close(reason);
    // The library does not return by itself when it was the relay that closed the connection.
    if (reason === 'io server disconnect' && comeBack === undefined) returnAfter(FIRST_BACKOFF_MS);
  });
  // An active socket tries again by itself; an inactive one was refused by the relay.
  socket.on('connect_error', (cause) => handlers.unreachable(cause, !socket.active));
  socket.on('batch', (frames) => handlers.batch(asBytes(frames)));
  socket.on('ack', (ack) => handlers.ack(ack));
  socket.on('presence', (change) => handlers.presence(change));
  socket.on('gap', (range) => handlers.gap(range));
  socket.on('slow', (slow) => handlers.slow(slow));
  socket.on('ended', (ended) => handlers.ended(ended));
  socket.on('error', (error) => handlers.error(error));
  socket.on('bye', (bye) => {
    handlers.bye(bye);
    returnAfter(isBye(bye) ? Math.min(MAX_RETURN_MS, bye.retryAfterMs + Math.random() * bye.jitterMs) : FIRST_BACKOFF_MS);
  });

  function returnAfter(delayMs: number): void {
    clearTimeout(comeBack);
    comeBack = setTimeout(() => {
      comeBack = undefined;
      if (!closed && !socket.connected) socket.disconnect().connect();
    }, delayMs);
  }

  /** Turns "no answer" into a typed error; what the relay answers is passed on as it is. */
  async function request<T>(send: () => Promise<Reply<T>>): Promise<Reply<T>> {
    if (!socket.connected) throw unreachable(url, undefined);
    try {
      return await send();
    } catch (cause) {
      throw new QsecError('TIMEOUT', 'The relay did not answer in time.', { cause });
    }
  }

  const transport: Transport = {
    create: (message) => request(() => socket.timeout(REQUEST_TIMEOUT_MS).emitWithAck('create', message)),
    join: (message) => request(() => socket.timeout(REQUEST_TIMEOUT_MS).emitWithAck('join', message)),
    leave: () => request(() => socket.timeout(REQUEST_TIMEOUT_MS).emitWithAck('leave')),
    end: (message) => request(() => socket.timeout(REQUEST_TIMEOUT_MS).emitWithAck('end', message)),
    push: (frames) => void (socket.connected && socket.emit('push', frames)),
    recv: (message) => void (socket.connected && socket.emit('recv', message)),
    report: (message) => void (socket.connected && socket.emit('report', message)),
    blobs: {
      put: (message, chunk) => request(() => socket.timeout(BLOB_TIMEOUT_MS).emitWithAck('blob:put', message, chunk)),
      get: (message) => request(() => socket.timeout(BLOB_TIMEOUT_MS).emitWithAck('blob:get', message)),
      drop: (message) => request(() => socket.timeout(REQUEST_TIMEOUT_MS).emitWithAck('blob:drop', message)),
    },
    reconnect() {
      if (!closed && !socket.connected) returnAfter(0);
    },
    close() {
      closed = true;
      clearTimeout(comeBack);
      socket.disconnect();
    },
  };
  return transport;
};
