import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connect } from '../room/connect.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import type { Transport, TransportFactory, TransportHandlers } from './transport.ts';

/** Relays, and transports of applications, that leave a request without an answer. */

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const never = () => new Promise<never>(() => undefined);

/** The honest relay's transport, but for `changes`. */
const changed =
  (relay: MemoryRelay, changes: Partial<Transport>): TransportFactory =>
  (url, handlers) =>
    new Proxy(relay.transport(url, handlers), {
      get: (target, name: keyof Transport) => {
        const value = changes[name] ?? target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });

/** Lets two minutes pass. */
async function settled<T>(promise: Promise<T>): Promise<T | 'never settled'> {
  let over = false;
  const end = () => {
    over = true;
  };
  promise.then(end, end);
  for (let step = 0; step < 1_200 && !over; step++) {
    await vi.advanceTimersByTimeAsync(100);
    await crypto.subtle.digest('SHA-256', new Uint8Array(1));
  }
  return over ? promise : 'never settled';
}

it.each<[string, Partial<Transport>]>([
  ['create', { create: never }],
  ['join', { join: never }],
])('a relay that does not answer "%s" makes connect reject', async (_, changes) => {
  const connecting = connect({ relay: 'http://relay.test', transport: changed(new MemoryRelay(), changes) });
  await expect(settled(connecting)).rejects.toMatchObject({ code: 'TIMEOUT' });
});

it('a transport that neither connects nor says that it cannot makes connect reject', async () => {
  const silent: TransportFactory = (url) =>
    new MemoryRelay().transport(url, new Proxy({} as TransportHandlers, { get: () => () => undefined }));
  await expect(settled(connect({ relay: 'http://relay.test', transport: silent }))).rejects.toMatchObject({
    code: 'RELAY_UNREACHABLE',
  });
});

it('a relay that does not answer "leave" keeps nobody in the room', async () => {
  const room = await settled(connect({ relay: 'http://relay.test', transport: changed(new MemoryRelay(), { leave: never }) }));
  if (room === 'never settled') throw new Error(room);
  await settled(room.leave());
  expect(room.state).toBe('closed');
});
