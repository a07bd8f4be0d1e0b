import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Bytes that may wait in one direction before no more are read. */
const MOST_WAITING = 4 * 1024 * 1024;

/**
 * A TCP proxy that makes whatever is behind it far away.
 *
 * @typedef {object} SlowNetwork
 * @property {number} port where it listens, on the loopback address
 * @property {(held: boolean) => void} hold stops carrying, or goes on with what came meanwhile
 * @property {() => void} close
 */

/**
 * @param {number} target a port of this machine
 * @param {number} roundTripMs what it adds to a question and its answer
 * @returns {Promise<SlowNetwork>}
 */
export async function slowNetwork(target, roundTripMs) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  /** @type {Set<() => void>} */
  const lines = new Set();
  let held = false;
  const server = createServer((client) => {
    const far = connect({ port: target, host: '127.0.0.1' });
    const end = () => {
      for (const socket of [client, far]) {
        sockets.delete(socket);
        socket.destroy();
      }
      for (const line of own) lines.delete(line);
    };
    const own = [line(client, far), line(far, client)];
    for (const carry of own) lines.add(carry);
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end).setNoDelay();
    }
  });

  /**
   * One direction, in order.
   *
   * @param {import('node:net').Socket} from
   * @param {import('node:net').Socket} to
   */
  function line(from, to) {
    /** @type {{ bytes: Buffer, due: number }[]} */
    const waiting = [];
    let size = 0;
    let awaited = false;
    const later = (/** @type {number} */ ms) => {
      if (awaited) return;
      awaited = true;
      setTimeout(carry, ms);
    };
    const carry = () => {
      awaited = false;
      if (held) return;
      const now = performance.now();
      let due = waiting[0];
      while (due && due.due <= now) {
        waiting.shift();
        size -= due.bytes.length;
        if (!to.destroyed) to.write(due.bytes);
        due = waiting[0];
      }
      if (from.isPaused() && size < MOST_WAITING) from.resume();
      if (due) later(Math.max(1, due.due - performance.now()));
    };
    from.on('data', (bytes) => {
      waiting.push({ bytes, due: performance.now() + roundTripMs / 2 });
      size += bytes.length;
      if (size > MOST_WAITING) from.pause();
      if (roundTripMs === 0) carry();
      else later(roundTripMs / 2);
    });
    return carry;
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: address && typeof address === 'object' ? address.port : 0,
    hold(wanted) {
      held = wanted;
      if (!held) for (const carry of lines) carry();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
