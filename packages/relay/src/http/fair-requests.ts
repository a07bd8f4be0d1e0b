import type { Socket } from 'node:net';
import type { Middleware } from 'koa';
import type { ClientAddresses } from '../gateway/addresses.ts';
import type { Admission } from '../gateway/admission.ts';

/** Requests that may wait for their answers on one connection. Browsers send the next one when they have the answer; so do proxies. */
const PIPELINED = 16;

export interface FairRequestsOptions {
  admission: Admission;
  addresses: ClientAddresses;
  refused(): void;
}

/** No address gets more than its share of the relay by asking over HTTP, and no connection may ask without reading answers. */
export function fairRequests({ admission, addresses, refused }: FairRequestsOptions): Middleware {
  const waiting = new WeakMap<Socket, number>();
  const add = (socket: Socket, change: number): number => {
    const count = (waiting.get(socket) ?? 0) + change;
    waiting.set(socket, count);
    return count;
  };
  return async (ctx, next) => {
    const { req, res } = ctx;
    const { socket } = req;
    res.once('close', () => add(socket, -1));
    if (add(socket, 1) > PIPELINED) {
      refused();
      socket.destroy();
      return;
    }
    if (!admission.mayRequest(addresses.of(req))) {
      refused();
      ctx.status = 429;
      // What else was sent on this connection is dropped with it.
      ctx.set({ 'Retry-After': '1', Connection: 'close' });
      return;
    }
    await next();
  };
}
