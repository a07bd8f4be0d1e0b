import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { clientFrame, TcpClient, upgradeHead } from '../testing/attacks/tcp-client.ts';
import { RawSocket, webSocketUrl } from '../testing/raw-socket.ts';
import { afterThisTest, joinedRoom, type Running, startRelay } from '../testing/relay-fixture.ts';

const opened = async ({ url }: Running, options: ConstructorParameters<typeof RawSocket>[1] = {}) => {
  const socket = new RawSocket(url, options);
  afterThisTest(() => socket.destroy());
  return socket.opened();
};

const value = async ({ url }: Running, name: string) =>
  Number(new RegExp(`^qsec2_relay_${name} (.+)$`, 'm').exec(await (await fetch(`${url}/metrics`)).text())?.[1]);

describe('the endpoint', () => {
  it('greets with its heartbeat and the largest message it takes', async () => {
    const eve = await opened(await startRelay({ frameBytes: 2048 }));
    await eve.until(() => eve.received.length > 0);
    const greeting = JSON.parse(eve.received[0]!.slice(1));
    const maxPayload = 2 ** 20 + 2048 + 128 * 1024;
    expect(greeting).toEqual({ sid: expect.any(String), upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload });
  });

  it('takes a message of that size, and ends the connection over a larger one', async () => {
    const running = await startRelay({ frameBytes: 2048 });
    const most = 2 ** 20 + 2048 + 128 * 1024;
    const eve = await (await opened(running)).hello();
    eve.send('451-["x",{"_placeholder":true,"num":0}]', Buffer.alloc(most));
    eve.send('421["leave"]');
    await eve.until(() => eve.received.some((packet) => packet.startsWith('431[')) || eve.closed);
    expect(eve.closed).toBe(false);
    const closed = new Promise((resolve) => eve.socket.once('close', resolve));
    eve.send('451-["x",{"_placeholder":true,"num":0}]', Buffer.alloc(most + 1));
    expect(await closed).toBe(1009);
  });

  it('compresses nothing, though it is asked to', async () => {
    const { url } = await startRelay();
    const socket = new WebSocket(webSocketUrl(url), { perMessageDeflate: true });
    afterThisTest(() => socket.terminate());
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.extensions).toBe('');
  });

  it('serves no file of the client', async () => {
    const { url } = await startRelay();
    for (const name of ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js'])
      expect((await fetch(`${url}/qsec2/${name}`)).status, name).not.toBe(200);
  });

  it('refuses an upgrade that names the session of another connection', async () => {
    const running = await startRelay();
    const own = await opened(running);
    await own.until(() => own.received.length > 0);
    const { sid } = JSON.parse(own.received[0]!.slice(1)) as { sid: string };
    const client = await TcpClient.open(running.url);
    afterThisTest(() => client.destroy());
    client.write(`${upgradeHead(`/qsec2/?EIO=4&transport=websocket&sid=${sid}`)}\r\n`);
    expect(await client.answer()).toBe(400);
  });

  it('takes a message in 64 fragments, and none in more', async () => {
    const running = await startRelay();
    const hello = async (fragments: number) => {
      const client = await TcpClient.open(running.url);
      afterThisTest(() => client.destroy());
      client.write(`${upgradeHead()}\r\n`);
      await client.until(() => client.received.includes('pingInterval'));
      const middle = Array.from({ length: fragments - 2 }, () => clientFrame(0, ''));
      client.write(Buffer.concat([clientFrame(0x01, '4'), ...middle, clientFrame(0x80, '0')]));
      await client.until(() => client.closed || client.received.includes('40{"sid"'));
      return client.closed ? 'closed' : 'hello';
    };
    expect([await hello(64), await hello(65)]).toEqual(['hello', 'closed']);
  });

  it('counts who is connected, and what was refused, by a cap or as no message of the contract', async () => {
    const running = await startRelay({ maxPerAddress: 2 });
    const [ana] = [await running.client(), await running.client()];
    expect(await value(running, 'connections')).toBe(2);
    const third = new RawSocket(running.url);
    await third.until(() => third.closed);
    expect(await value(running, 'connections_refused_total')).toBe(1);
    ana!.socket.emit('push', randomBytes(10));
    await ana!.until(() => ana!.socket.disconnected);
    await expect.poll(() => value(running, 'connections')).toBe(1);
    expect(await value(running, 'misbehaved_total')).toBe(1);
    const eve = await (await opened(running)).hello();
    eve.send(`42["${'x'.repeat(9000)}"]`);
    await eve.until(() => eve.closed);
    expect(await value(running, 'misbehaved_total')).toBe(2);
  });
});

describe('a relay that stops', () => {
  it('tells every connection when to come back, and closes it', async () => {
    const running = await startRelay();
    const eve = await (await opened(running)).hello();
    const { clients } = await joinedRoom(running);
    await running.relay.close();
    await eve.until(() => eve.closed);
    expect(eve.received).toContain('42["bye",{"retryAfterMs":500,"jitterMs":2000}]');
    for (const client of clients) await client.until(() => client.socket.disconnected && client.said === 'bye');
  });

  it('does not wait for a client that never says farewell', { timeout: 15_000 }, async () => {
    const running = await startRelay();
    const client = await TcpClient.open(running.url, { allowHalfOpen: true });
    afterThisTest(() => client.destroy());
    client.write(`${upgradeHead()}\r\n`);
    await client.until(() => client.received.includes('pingInterval'));
    client.write(clientFrame(0x81, '40'));
    await client.until(() => client.received.includes('40{"sid"'));
    await running.relay.close();
    await client.until(() => client.socket.readableEnded || client.closed);
  });
});
