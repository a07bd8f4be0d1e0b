import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import type { TransportFactory } from '../transport/transport.ts';
import type { CreateRequest } from '../wire/index.ts';
import { connect } from './connect.ts';
import type { Room } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

/** A relay that makes every room larger than its creator asked. */
const generous =
  (relay: MemoryRelay): TransportFactory =>
  (url, handlers) => {
    const inner = relay.transport(url, handlers);
    return new Proxy(inner, {
      get: (target, name) => {
        if (name === 'create') return (request: CreateRequest) => inner.create({ ...request, capacity: 16 });
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };

async function enter(transport: TransportFactory, options: Partial<ConnectOptions>): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport, ...options });
  open.push(room);
  return room;
}

describe('a room', () => {
  it('has no more members than places, whoever the relay lets in at once', async () => {
    const transport = generous(new MemoryRelay());
    const ana = await enter(transport, { name: 'Ana', capacity: 3 });
    let most = 0;
    ana.on('members', (members) => {
      most = Math.max(most, members.length);
    });
    const refused = new Promise<void>((resolve) => {
      let count = 0;
      ana.on('error', ({ code }) => {
        if (code === 'ROOM_FULL' && ++count === 2) resolve();
      });
    });
    await Promise.all(['Bo', 'Cy', 'Di', 'Ed'].map((name) => enter(transport, { name, invite: ana.invite })));
    await refused;
    while (ana.members.length < 2) await ana.once('members');
    await (await ana.send('to both')).delivered;
    expect(most).toBe(2);
  });
});
