import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { unboundedText, undefended } from './testing/attacks/builds.ts';
import { clientFrame, TcpClient, upgradeHead } from './testing/attacks/tcp-client.ts';
import { ChildRelay } from './testing/child-relay.ts';
import { TestClient } from './testing/client.ts';
import { RawSocket } from './testing/raw-socket.ts';
import { afterThisTest, sharedFolder, temporaryFolder } from './testing/relay-fixture.ts';

/** Attacks on a relay as it is run, and on one without the defence, where each has to succeed. */

const PER_ADDRESS = 20;
const folders = [sharedFolder(), sharedFolder()];
const generous = {
  RELAY_RATE_REQUESTS: '1000000',
  RELAY_RATE_FRAMES: '100000000',
  RELAY_RATE_CONNECTIONS: '1000',
  RELAY_MAX_PER_ADDRESS: `${PER_ADDRESS}`,
};
let defendedRelay: ChildRelay;
let undefendedRelay: ChildRelay;

beforeAll(async () => {
  [defendedRelay, undefendedRelay] = await Promise.all([
    ChildRelay.start(folders[0]!, generous),
    ChildRelay.start(folders[1]!, generous, undefended),
  ]);
  return async () => {
    await Promise.all([defendedRelay.stop('SIGTERM'), undefendedRelay.stop('SIGTERM')]);
  };
});

/** Of a process and all its threads, in ticks of the system's clock (proc(5), utime and stime). */
function processorTime(pid = 0): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** What an attack comes to: at the relay as it is, and at the one without the defence. */
async function against<T>(attack: (relay: ChildRelay) => Promise<T>): Promise<[defended: T, undefended: T]> {
  return [await attack(defendedRelay), await attack(undefendedRelay)];
}

async function tcp({ url }: ChildRelay): Promise<TcpClient> {
  const client = await TcpClient.open(url);
  afterThisTest(() => client.destroy());
  return client;
}

function raw({ url }: ChildRelay, query?: string): RawSocket {
  const socket = new RawSocket(url, query === undefined ? {} : { query });
  afterThisTest(() => socket.destroy());
  return socket;
}

describe('requests', () => {
  it('with more header than a request has are refused', async () => {
    const attack = async (relay: ChildRelay) => {
      const client = await tcp(relay);
      client.write(`GET /healthz HTTP/1.1\r\nHost: relay\r\nX-Filler: ${'x'.repeat(40_000)}\r\n\r\n`);
      return client.answer();
    };
    expect(await against(attack)).toEqual([431, 200]);
  });

  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['a line break in a name', 'X-A\rB: 1'],
    ['a zero byte in a value', 'X-A: \0'],
    ['a line that goes on in the next', 'X-A: 1\r\n  2'],
    ['no name', ': 1'],
  ])('that two servers could read in two ways are refused: %s', async (_, header) => {
    const client = await tcp(defendedRelay);
    client.write(`POST /healthz HTTP/1.1\r\nHost: relay\r\n${header}\r\n\r\nhello`);
    expect(await client.answer()).toBe(400);
    await client.until(() => client.closed);
  });

  it('that do not wait for answers are cut off after a few, and cost little', async () => {
    const asked = 10_000;
    const attack = async (relay: ChildRelay) => {
      const before = processorTime(relay.process.pid);
      const client = await tcp(relay);
      client.write('GET /readyz HTTP/1.1\r\nHost: relay\r\n\r\n'.repeat(asked));
      await client.until(() => client.closed || client.received.split('"failed":[]').length > asked);
      return { answered: client.received.split('"failed":[]').length - 1, cost: processorTime(relay.process.pid) - before };
    };
    const [defended, undefended] = await against(attack);
    expect(defended.answered).toBeLessThanOrEqual(16);
    expect(undefended.answered).toBe(asked);
    expect(undefended.cost).toBeGreaterThan(10 * defended.cost);
  });

  it('are taken over so many connections from one address, which need not have asked for anything', async () => {
    const attack = async (relay: ChildRelay) => {
      const clients = await Promise.all(Array.from({ length: 3 * PER_ADDRESS }, () => tcp(relay)));
      for (const client of clients) client.write('GET /healthz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n');
      const known = () => relay.sockets + clients.filter(({ closed }) => closed).length;
      await expect.poll(known).toBeGreaterThan(clients.length);
      for (const client of clients) client.write('\r\n');
      const answers = await Promise.all(clients.map((client) => client.answer()));
      return answers.filter((status) => status === 200).length;
    };
    expect(await against(attack)).toEqual([2 * PER_ADDRESS, 3 * PER_ADDRESS]);
  });
});

describe('an upgrade', () => {
  it('that names the session of another connection is refused, and takes no place beyond the caps', async () => {
    const attack = async (relay: ChildRelay) => {
      const own = raw(relay);
      await own.until(() => own.received.length > 0);
      const { sid } = JSON.parse(own.received[0]!.slice(1)) as { sid: string };
      const client = await tcp(relay);
      client.write(`${upgradeHead(`/qsec2/?EIO=4&transport=websocket&sid=${sid}`)}\r\n`);
      return client.answer();
    };
    expect(await against(attack)).toEqual([400, 101]);
  });

  it.each([
    ['another protocol', ['Upgrade: websocket', 'Upgrade: h2c'], 400],
    ['no key', ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'X-Key: 1'], 400],
    ['a key of another length', ['AAAAAAAAAAAAAAAAAAAAAA==', 'AAAA'], 400],
    ['an old version', ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 7'], 400],
    ['another method', ['GET', 'POST'], 400],
  ] as [string, [string, string], number][])('with %s is refused', async (_, [from, to], status) => {
    const client = await tcp(defendedRelay);
    client.write(`${upgradeHead().replace(from, to)}\r\n`);
    expect(await client.answer()).toBe(status);
    await client.until(() => client.closed);
  });
});

describe('a message', () => {
  it('larger than any the relay takes ends the connection before it is read', async () => {
    const attack = async (relay: ChildRelay) => {
      const eve = await raw(relay).hello();
      const closed = new Promise<number>((resolve) => eve.socket.once('close', resolve));
      eve.send(`451-["push",{"_placeholder":true,"num":0}]`, Buffer.alloc(8 * 2 ** 20));
      return closed;
    };
    // Without the limit it is read to its end, and found to be no push: 1005 is a farewell without a reason.
    expect(await against(attack)).toEqual([1009, 1005]);
  });

  it('in very many fragments ends the connection', async () => {
    const attack = async (relay: ChildRelay) => {
      const client = await tcp(relay);
      client.write(`${upgradeHead()}\r\n`);
      await client.until(() => client.received.includes('pingInterval'));
      // A text that is not complete, 200 continuations of nothing, the end of it: Socket.IO's hello.
      client.write(Buffer.concat([clientFrame(0x01, '4'), ...Array.from({ length: 200 }, () => clientFrame(0, ''))]));
      client.write(clientFrame(0x80, '0'));
      await client.until(() => client.closed || client.received.includes('40{"sid"'));
      return client.closed ? 'closed' : 'hello';
    };
    expect(await against(attack)).toEqual(['closed', 'hello']);
  });

  it('with more arguments than a call can have ends the connection, and without the limit the relay', {
    timeout: 30_000,
  }, async () => {
    const folder = temporaryFolder();
    const unbounded = await ChildRelay.start(folder, {}, unboundedText);
    afterThisTest(() => unbounded.stop('SIGKILL'));
    const attack = async (relay: ChildRelay) => {
      const eve = await raw(relay).hello();
      eve.send(`42[${'0,'.repeat(100_000)}0]`);
      await eve.until(() => eve.closed);
      return relay === unbounded ? new Promise((resolve) => relay.process.once('close', resolve)) : relay.process.exitCode;
    };
    expect(await attack(defendedRelay)).toBe(null);
    await raw(defendedRelay).hello();
    expect(await attack(unbounded)).toBe(1);
  });

  it('for a namespace that does not exist is not repeated', async () => {
    const name = '/'.padEnd(100_000, 'x');
    const attack = async (relay: ChildRelay) => {
      const eve = await raw(relay).hello();
      eve.send(`40${name},`);
      await eve.until(() => eve.closed || eve.received.some((packet) => packet.includes(name)));
      return eve.closed ? 'closed' : 'repeated';
    };
    expect(await against(attack)).toEqual(['closed', 'repeated']);
  });

  it('after a farewell ends the connection, and the relay goes on', async () => {
    const eve = await raw(defendedRelay).hello();
    eve.send('41', '40');
    await eve.until(() => eve.closed);
    await raw(defendedRelay).hello();
  });
});

describe('replies that are not read', () => {
  it('stop the relay from reading what asks for them, so that none of its memory is needed', { timeout: 60_000 }, async () => {
    // More than the system keeps for either side.
    const asked = 150_000;
    const request = (id: number) => clientFrame(0x81, `42${id}["create","${'x'.repeat(90)}"]`);
    const requests = Buffer.concat(Array.from({ length: asked }, (_, i) => request(100_000 + i)));
    const attack = async (relay: ChildRelay) => {
      const eve = await tcp(relay);
      eve.write(`${upgradeHead()}\r\n`);
      await eve.until(() => eve.received.includes('pingInterval'));
      eve.write(clientFrame(0x81, '40'));
      await eve.until(() => eve.received.includes('40{"sid"'));
      const honest = new TestClient(relay.url);
      afterThisTest(() => honest.close());
      await honest.connected();
      eve.socket.pause();
      eve.write(requests);
      // Until the relay has taken everything, or takes nothing while it answers others.
      let before = -1;
      while (eve.socket.writableLength > 0 && eve.socket.writableLength !== before) {
        before = eve.socket.writableLength;
        for (let i = 0; i < 100; i++) await honest.socket.emitWithAck('leave');
      }
      const taken = eve.socket.writableLength === 0;
      eve.socket.resume();
      await eve.until(() => {
        const done = eve.received.includes(`43${100_000 + asked - 1}[`);
        // It is all the same, and long.
        eve.received = eve.received.slice(-100);
        return done;
      });
      return taken ? 'taken' : 'left with the client';
    };
    expect(await against(attack)).toEqual(['left with the client', 'taken']);
  });
});
