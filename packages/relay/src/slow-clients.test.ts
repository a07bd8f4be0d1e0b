import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasty, undefended } from './testing/attacks/builds.ts';
import { TcpClient, upgradeHead } from './testing/attacks/tcp-client.ts';
import { ChildRelay } from './testing/child-relay.ts';
import { newRoom, random16, random32 } from './testing/client.ts';
import { RawSocket } from './testing/raw-socket.ts';
import { afterThisTest, sharedFolder } from './testing/relay-fixture.ts';

/**
 * Clients that hold connections and do nothing with them, against the relay with short times and against one without the defence.
 * What ends at the first is still there at the second when it does, and still works.
 */

const FILE_BYTES = 16 * 2 ** 20;
const [demo, ...folders] = [sharedFolder(), sharedFolder(), sharedFolder()];
let defendedRelay: ChildRelay;
let undefendedRelay: ChildRelay;

beforeAll(async () => {
  writeFileSync(join(demo, 'large.js'), Buffer.alloc(FILE_BYTES, '/'));
  const relays = [hasty, undefended].map((build, i) => ChildRelay.start(folders[i]!, { RELAY_DEMO_DIR: demo }, build));
  [defendedRelay, undefendedRelay] = (await Promise.all(relays)) as [ChildRelay, ChildRelay];
  return async () => {
    await Promise.all([defendedRelay.stop('SIGTERM'), undefendedRelay.stop('SIGTERM')]);
  };
});

/** Opens one connection to each relay, and waits for the one with the defence to be closed by it. */
async function both(first: string): Promise<TcpClient> {
  const [held, kept] = await Promise.all([defendedRelay, undefendedRelay].map(({ url }) => TcpClient.open(url)));
  afterThisTest(() => kept!.destroy());
  for (const client of [held!, kept!]) client.write(first);
  await held!.until(() => held!.closed);
  expect(kept!.closed).toBe(false);
  return kept!;
}

describe('a connection is closed', () => {
  it('when nothing is sent over it', async () => {
    const kept = await both('');
    kept.write('GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n');
    expect(await kept.answer()).toBe(200);
  });

  it('when the head of a request is never finished', async () => {
    const kept = await both('GET /healthz HTTP/1.1\r\nHost: relay\r\nX-Filler: x');
    kept.write('\r\n\r\n');
    expect(await kept.answer()).toBe(200);
  });

  it('when the head comes byte by byte', async () => {
    const slow = await TcpClient.open(defendedRelay.url);
    const dripping = setInterval(() => slow.write('x'), 20);
    afterThisTest(() => clearInterval(dripping));
    slow.write('GET /healthz HTTP/1.1\r\nHost: relay\r\nX-Filler: ');
    await slow.until(() => slow.closed);
  });

  it('when the body of a request is never finished', async () => {
    const kept = await both('POST /healthz HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n\r\n12345');
    kept.write('67890GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n');
    expect(await kept.answer(2)).toBe(200);
  });

  it('when the answer to a request is not read', async () => {
    const before = defendedRelay.sockets;
    const [held, kept] = await Promise.all([defendedRelay, undefendedRelay].map(({ url }) => TcpClient.open(url)));
    for (const client of [held!, kept!]) {
      afterThisTest(() => client.destroy());
      client.socket.pause();
      client.write('GET /large.js HTTP/1.1\r\nHost: relay\r\n\r\n');
    }
    await expect.poll(() => defendedRelay.sockets).toBe(before + 1);
    await expect.poll(() => defendedRelay.sockets, { timeout: 10_000 }).toBe(before);
    // What the system had taken for the client is all that comes.
    held!.socket.resume();
    await held!.until(() => held!.closed);
    expect(held!.received.length).toBeLessThan(FILE_BYTES);
    kept!.socket.resume();
    await kept!.until(() => kept!.received.length >= FILE_BYTES);
  });
});

describe('a WebSocket is closed', () => {
  it('when nobody says hello over it', async () => {
    const [held, kept] = [new RawSocket(defendedRelay.url), new RawSocket(undefendedRelay.url)];
    afterThisTest(() => kept.destroy());
    await kept.opened();
    await held.until(() => held.closed);
    await kept.hello();
  });

  it('when nobody takes a seat over it', async () => {
    const [held, kept] = [new RawSocket(defendedRelay.url), new RawSocket(undefendedRelay.url)];
    afterThisTest(() => kept.destroy());
    await kept.hello();
    await held.opened();
    held.send('40');
    await held.until(() => held.closed);
    const room = newRoom();
    kept.send(`421${JSON.stringify(['create', { ...room, capacity: 2 }])}`);
    await kept.until(() => kept.received.some((packet) => packet.startsWith('431[{"ok"')));
    kept.send(`422${JSON.stringify(['join', { ...room, seat: random16(), seatSecret: random32() }])}`);
    await kept.until(() => kept.received.some((packet) => packet.startsWith('432[{"ok"')));
  });

  it('when it was opened at an address where nobody takes one, though the client never closes it', async () => {
    const open = async (relay: ChildRelay) => {
      const client = await TcpClient.open(relay.url, { allowHalfOpen: true });
      afterThisTest(() => client.destroy());
      client.write(`${upgradeHead('/elsewhere')}\r\n`);
      // It may close its own half, and nothing more.
      return client.until(() => client.closed || client.socket.readableEnded);
    };
    const attackers = Array.from({ length: 20 });
    await Promise.all(attackers.flatMap(() => [open(defendedRelay), open(undefendedRelay)]));
    await expect.poll(() => defendedRelay.sockets).toBeLessThan(attackers.length);
    expect(undefendedRelay.sockets).toBeGreaterThan(attackers.length);
  });
});
