import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { undefended } from './testing/attacks/builds.ts';
import { TcpClient, upgradeHead } from './testing/attacks/tcp-client.ts';
import { ChildRelay, environment, type Mutant, runCli } from './testing/child-relay.ts';
import { newRoom, random16, random32, TestClient } from './testing/client.ts';
import { findLeaks } from './testing/leaks.ts';
import { RawSocket } from './testing/raw-socket.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

/** Strings that would be lines, colours or fields of a log of their own, in every place in which a client can write one. */

const MARK = 'all is well here';
const FORGED = [
  `x\r\n{"level":30,"msg":"${MARK}"}`,
  `\u001b[2J\u001b[1;32m${MARK}\u001b[0m`,
  `"},{"msg":"${MARK}"},{"a":"`,
  `\u2028${MARK}\u2029\u0000\u0007\u009b`,
  `%0d%0a${MARK} \${jndi:ldap://x} <script>`,
];

async function start(mutant?: Mutant) {
  const folder = temporaryFolder();
  const demo = temporaryFolder();
  writeFileSync(join(demo, 'large.js'), Buffer.alloc(4 * 2 ** 20));
  const env = {
    RELAY_LOG_LEVEL: 'trace',
    RELAY_TRUSTED_PROXIES: '127.0.0.0/8',
    RELAY_DEMO_DIR: demo,
    RELAY_RATE_CONTROL: '1000000',
  };
  const relay = await ChildRelay.start(folder, env, mutant);
  afterThisTest(() => relay.stop('SIGKILL'));
  return { folder, relay };
}

/** Requests and upgrades with the string in every part of them; most are refused. */
async function overHttp(url: string, forged: string): Promise<void> {
  // What ends a line ends a header, so the rest of the string is a header of its own.
  const paths = [
    `/${encodeURIComponent(forged)}`,
    `/large.js?${encodeURIComponent(forged)}`,
    `/${forged}`,
    '/%zz',
    'http://[x/',
    '//x',
  ];
  const headers = [
    'User-Agent',
    'Referer',
    'Cookie',
    'X-Forwarded-For',
    'X-Request-Id',
    'Range',
    'If-None-Match',
    'Accept-Language',
  ];
  const heads = [
    ...paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n`),
    ...headers.map((name) => `GET /healthz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n${name}: ${forged}\r\n`),
    `${forged} / HTTP/1.1\r\nHost: relay\r\n`,
    `GET / HTTP/1.1\r\nHost: ${forged}\r\nConnection: close\r\n`,
    ...['Origin', 'X-Forwarded-For', 'Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions', 'User-Agent'].map(
      (name) => `${upgradeHead()}${name}: ${forged}\r\n`,
    ),
    upgradeHead(`/qsec2/?EIO=4&transport=websocket&x=${encodeURIComponent(forged)}`),
    upgradeHead(`/qsec2/?EIO=${encodeURIComponent(forged)}&transport=${encodeURIComponent(forged)}`),
  ];
  for (const head of heads) {
    const client = await TcpClient.open(url);
    client.write(`${head}\r\n`);
    await client.until(() => client.closed || client.received !== '');
    client.destroy();
  }
}

/** Requests of a member, with the string in each field in turn, and everything else that carries text. */
async function overWebSocket(url: string, forged: string): Promise<void> {
  const member = await new TestClient(url).connected();
  afterThisTest(() => member.close());
  const room = newRoom();
  expect((await member.create(room)).ok).toBeDefined();
  const { seat, seatSecret } = member;
  const requests = {
    create: { ...newRoom(), capacity: 2, operator: forged },
    join: {
      room: room.room,
      token: room.token,
      seat: random16(),
      seatSecret: random32(),
      since: { epoch: forged, seq: 0 },
      operator: forged,
    },
    end: { room: room.room, endToken: random32() },
    'blob:get': { blob: random16(), index: 0 },
    'blob:drop': { blob: random16() },
  };
  const emit = member.socket.emitWithAck.bind(member.socket) as (event: string, ...fields: unknown[]) => Promise<unknown>;
  for (const [event, request] of Object.entries(requests)) {
    for (const field of Object.keys(request)) await emit(event, { ...request, [field]: forged, [forged]: forged });
    await emit(event, forged);
    await emit('leave');
  }
  expect((await member.join(room, { seat, seatSecret })).ok).toBeDefined();
  (member.socket.emit as (event: string, ...fields: unknown[]) => void)(forged, forged);
  await emit('blob:put', { blob: forged, index: 0, last: true }, Buffer.from(forged));
  member.push({ text: 'sealed', cid: Buffer.concat([Buffer.from(MARK), randomBytes(16)]).subarray(0, 16) });
  await member.until(() => member.texts.length === 1);
  // Each of these ends the connection.
  const last = [
    `42${JSON.stringify(['report', { kind: forged }])}`,
    `42${JSON.stringify(['recv', { upTo: forged }])}`,
    `40/${forged},`,
    `44${JSON.stringify({ message: forged })}`,
    `9${forged}`,
    forged,
  ];
  for (const packet of last) {
    const eve = await new RawSocket(url).hello();
    afterThisTest(() => eve.destroy());
    eve.send(packet);
    await eve.until(() => eve.closed);
  }
  const eve = await new RawSocket(url).hello();
  eve.send(`40${JSON.stringify({ token: forged })}`);
  eve.socket.close(1000, Buffer.from(forged).subarray(0, 100).toString('latin1').slice(0, 60));
  await eve.until(() => eve.closed);
}

/** Downloads given up in the middle, which are errors of somebody's. */
async function giveUp(url: string): Promise<void> {
  const client = await TcpClient.open(url);
  client.write('GET /large.js HTTP/1.1\r\nHost: relay\r\n\r\n');
  await client.until(() => client.received !== '');
  client.socket.resetAndDestroy();
}

describe('what clients write', { timeout: 60_000 }, () => {
  it('stands in no line of the log, no metric, no table and nothing that is shown to an operator', async () => {
    const { folder, relay } = await start();
    for (const forged of FORGED) {
      await overHttp(relay.url, forged);
      await overWebSocket(relay.url, forged);
      await giveUp(relay.url);
    }
    const said = await relay.said();
    expect(relay.output).toEqual([`qsec2-relay listens on ${relay.url}`]);
    const marks = new Map([['what a client wrote', Buffer.from(MARK)]]);
    const traces = { folders: [folder], said };
    expect(await findLeaks(traces, { anywhere: new Map(), outsideBodies: marks })).toEqual([]);
    expect(await relay.stop('SIGTERM')).toBe(0);
    for (const command of [['logs', '--limit', '100000'], ['logs', '--json'], ['rooms'], ['rooms', '--json']]) {
      const { code, out, err } = await runCli(command, environment(folder));
      expect([code, err]).toEqual([0, '']);
      // Printable, one line each.
      expect(out).toMatch(/^[\x20-\x7e–\n]*$/);
      expect(out).not.toContain(MARK);
    }
  });

  it('would be a line of the log if the relay logged what it hears', async () => {
    const { relay } = await start(undefended);
    await overWebSocket(relay.url, FORGED[0]!);
    expect(relay.output).toContain(`{"level":30,"msg":"${MARK}"}`);
  });
});
