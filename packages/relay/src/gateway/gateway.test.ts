import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRoom, random32, TestClient } from '../testing/client.ts';
import { RawSocket } from '../testing/raw-socket.ts';
import { afterThisTest, joinedRoom, type Running, startRelay } from '../testing/relay-fixture.ts';
import { ClientAddresses } from './addresses.ts';
import { Admission } from './admission.ts';
import { FlowMeter } from './flow-meter.ts';
import { isOperatorToken, operatorToken } from './operator-token.ts';
import { TokenBucket } from './token-bucket.ts';

/** Whether a connection is let in, with the headers given. */
async function letIn(url: string, headers: Record<string, string> = {}): Promise<boolean> {
  const client = new TestClient(url, { headers });
  afterThisTest(() => client.close());
  return client.admitted();
}

describe('origins', () => {
  it('are let in when they are on the list; clients that are not pages name none', async () => {
    const { url } = await startRelay({ origins: ['https://mine.example'] });
    expect(await letIn(url, { origin: 'https://mine.example' })).toBe(true);
    expect(await letIn(url, { origin: 'https://mine.example.evil.example' })).toBe(false);
    expect(await letIn(url, { origin: 'null' })).toBe(false);
    expect(await letIn(url)).toBe(true);
  });
});

describe('caps', () => {
  it('hold for an address and for the relay, and count what is closed', async () => {
    const { url } = await startRelay({ maxPerAddress: 2 });
    const first = new TestClient(url);
    await first.connected();
    expect(await letIn(url)).toBe(true);
    expect(await letIn(url)).toBe(false);
    first.close();
    await expect.poll(() => letIn(url)).toBe(true);
  });

  it('count an address behind a trusted proxy, and nothing a client writes about itself', async () => {
    const proxied = await startRelay({ maxPerAddress: 1, trustedProxies: ['127.0.0.1'] });
    expect(await letIn(proxied.url, { 'x-forwarded-for': '203.0.113.1' })).toBe(true);
    expect(await letIn(proxied.url, { 'x-forwarded-for': '203.0.113.2' })).toBe(true);
    expect(await letIn(proxied.url, { 'x-forwarded-for': '203.0.113.9, 203.0.113.2' })).toBe(false);
    const direct = await startRelay({ maxPerAddress: 1 });
    expect(await letIn(direct.url, { 'x-forwarded-for': '203.0.113.1' })).toBe(true);
    expect(await letIn(direct.url, { 'x-forwarded-for': '203.0.113.2' })).toBe(false);
  });

  it('make guessing rooms slower than honest use', async () => {
    const { client } = await startRelay({ rateControl: 2 });
    const eve = await client();
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) codes.push((await eve.join(newRoom())).error?.code);
    expect(codes).toEqual(['NO_ROOM', 'NO_ROOM', 'RATE_LIMITED', 'RATE_LIMITED']);
  });
});

describe("an operator's token", () => {
  it('is asked for where there is an operator, and is good until it expires', async () => {
    const operatorSecret = 'a secret of the operator';
    const { client } = await startRelay({ operatorSecret });
    const ana = await client();
    const soon = Math.floor(Date.now() / 1000) + 60;
    for (const operator of [undefined, 'x', operatorToken('another secret here', soon), operatorToken(operatorSecret, 1)]) {
      expect((await ana.create(newRoom(), { ...(operator && { operator }) })).error?.code).toBe('REFUSED');
    }
    expect((await ana.create(newRoom(), { operator: operatorToken(operatorSecret, soon) })).ok).toBeDefined();
  });

  it('is not made by changing another one', () => {
    const token = operatorToken('s'.repeat(16), 2_000_000_000);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.integer({ min: 33, max: 126 }), (at, code) => {
        const changed = token.slice(0, at) + String.fromCharCode(code) + token.slice(at + 1);
        // The last digit of the tag carries bits that do not count; what decodes to the same tag is the same token.
        const same = Buffer.from(changed.split('.')[1] ?? '', 'base64url').equals(Buffer.from(token.split('.')[1]!, 'base64url'));
        fc.pre(!(same && changed.split('.')[0] === token.split('.')[0]));
        expect(isOperatorToken('s'.repeat(16), changed, 0)).toBe(false);
      }),
    );
  });
});

describe('rates', () => {
  it('hold a client that is too fast back, and lose nothing', async () => {
    const running = await startRelay({ rateFrames: 200 });
    const {
      clients: [ana, bo],
    } = await joinedRoom(running);
    for (let i = 0; i < 800; i++) ana!.push({ text: `${i}` });
    await bo!.until(() => bo!.deliveries.length === 800);
    expect(bo!.texts).toEqual(Array.from({ length: 800 }, (_, i) => `${i}`));
    expect(ana!.slowed).toBeGreaterThan(0);
  });

  it('count debt, and how long it takes to pay', () => {
    const bucket = new TokenBucket(10, 20, 0);
    expect(bucket.spend(20, 0)).toBe(0);
    expect(bucket.spend(5, 0)).toBe(500);
    expect(bucket.take(1, 500)).toBe(false);
    expect(bucket.take(1, 600)).toBe(true);
    expect(bucket.full(10_000)).toBe(true);
    const meter = new FlowMeter({ rateFrames: 10, rateBytes: 1000 }, 0);
    expect([meter.count(1, 2000, 0), meter.count(1, 500, 0), meter.count(1, 1e9, 0)]).toEqual([0, 500, 5000]);
  });

  it('forget addresses that have nothing open', () => {
    let now = 0;
    const admission = new Admission(
      { maxConnections: 2, maxPerAddress: 2, rateConnections: 1, rateControl: 1, rateRequests: 1 },
      () => now,
    );
    expect([admission.opened('a'), admission.opened('b'), admission.opened('c')]).toEqual([true, true, false]);
    admission.closed('a');
    expect(admission.connections).toBe(1);
    now = 60_000;
    admission.sweep();
    // "b" is still open: it is known, and may open one more.
    expect([admission.opened('b'), admission.opened('b')]).toEqual([true, false]);
  });
});

describe('client addresses', () => {
  const from = (remoteAddress: string, forwarded?: string) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as never;

  it('are read over trusted proxies only, from the right', () => {
    const addresses = new ClientAddresses(['10.0.0.0/8', '::1']);
    expect(addresses.of(from('198.51.100.7', '203.0.113.1'))).toBe('198.51.100.7');
    expect(addresses.of(from('10.1.2.3', '203.0.113.1'))).toBe('203.0.113.1');
    expect(addresses.of(from('::ffff:10.1.2.3', '1.2.3.4, 203.0.113.1, 10.9.9.9'))).toBe('203.0.113.1');
    expect(addresses.of(from('10.1.2.3', 'not an address'))).toBe('10.1.2.3');
    expect(addresses.of(from('10.1.2.3'))).toBe('10.1.2.3');
  });

  it('of IPv6 count as the network of one customer', () => {
    const addresses = new ClientAddresses([]);
    expect(addresses.of(from('2001:db8:1:2:3:4:5:6'))).toBe('2001:db8:1:2::/64');
    expect(addresses.of(from('2001:db8:1:2::99'))).toBe('2001:db8:1:2::/64');
    expect(addresses.of(from('2001:db8::1'))).toBe('2001:db8:0:0::/64');
  });
});

describe('hostile connections', () => {
  const upgrade = (host: string) =>
    `GET /qsec2/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n`;

  async function raw({ url }: Running, head: string) {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    afterThisTest(() => socket.destroy());
    socket.on('error', () => {});
    socket.write(`${head || upgrade(host)}\r\n`);
    return socket;
  }

  it('are closed when a message is larger than the relay takes', async () => {
    const running = await startRelay();
    const {
      clients: [ana, bo],
    } = await joinedRoom(running);
    ana!.socket.emit('push', new Uint8Array(8 * 1024 * 1024));
    await ana!.until(() => ana!.socket.disconnected);
    bo!.push({ text: 'still here' });
    await bo!.until(() => bo!.texts.includes('still here'));
  });

  it('are closed when a message comes in very many fragments', async () => {
    const socket = await raw(await startRelay(), '');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    // A text frame that is not the last one, then continuations of one masked byte each.
    socket.write(Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x34]));
    for (let i = 0; i < 100; i++) socket.write(Buffer.from([0x00, 0x81, 0, 0, 0, 0, 0x35]));
    await closed;
  });

  it.each([
    ['at once', (eve: RawSocket) => eve.send('40', '40')],
    ['after a farewell', (eve: RawSocket) => eve.hello().then(() => eve.send('41', '40'))],
    ['not, but say farewell', (eve: RawSocket) => eve.hello().then(() => eve.send('41'))],
  ])('are closed when they say hello twice: %s', async (_, speak) => {
    const { url, client } = await startRelay();
    const eve = await new RawSocket(url).opened();
    afterThisTest(() => eve.destroy());
    await speak(eve);
    await eve.until(() => eve.closed);
    await client();
  });

  it('are refused when their headers are too large', async () => {
    const { url } = await startRelay();
    const status = await new Promise((resolve, reject) => {
      httpRequest(url, { path: '/qsec2/', headers: { 'x-filler': 'x'.repeat(20_000) } }, ({ statusCode }) => resolve(statusCode))
        .once('error', reject)
        .end();
    });
    expect(status).toBe(431);
  });

  it.each([
    ['long polling', '/qsec2/?EIO=4&transport=polling'],
    ['an unknown transport', '/qsec2/?EIO=4&transport=webtransport'],
    ['an unknown session', '/qsec2/?EIO=4&transport=polling&sid=__proto__'],
  ])('are refused when they ask for %s', async (_, path) => {
    const { url } = await startRelay();
    expect((await fetch(url + path)).status).toBe(400);
  });
});

describe('any message', () => {
  it('is answered, refused or ends its connection, and the relay goes on', async () => {
    const running = await startRelay({ rateControl: 1e6, rateConnections: 1e6, maxPerAddress: 1e6, rateFrames: 1e6 });
    const { room } = await joinedRoom(running);
    const fields = fc.oneof(
      fc.jsonValue(),
      fc.uint8Array({ maxLength: 100 }),
      fc.record({ room: fc.constant(room.room), token: fc.string(), seat: fc.string(), seatSecret: fc.constant(random32()) }),
      fc.record({ upTo: fc.oneof(fc.integer(), fc.double(), fc.string()) }),
    );
    const event = fc.oneof(
      fc.constantFrom('create', 'join', 'leave', 'end', 'push', 'recv', 'report', '__proto__', 'x'),
      fc.string(),
    );
    let client = await running.client();
    await fc.assert(
      fc.asyncProperty(event, fc.array(fields, { maxLength: 3 }), async (name, payload) => {
        if (client.socket.disconnected) client = await running.client();
        // Names that Socket.IO keeps for itself are refused on the client's own side.
        fc.pre(!['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].includes(name));
        (client.socket.emit as (event: string, ...payload: unknown[]) => void)(name, ...payload);
      }),
      { numRuns: 1000 },
    );
    const {
      clients: [ana],
    } = await joinedRoom(running);
    ana!.push({ text: 'alive' });
    await ana!.until(() => ana!.texts.includes('alive'));
  });
});
