import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { BLOB_CHUNK_BYTES } from '@qsec2/sdk/wire';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { EventLog } from '../events/event-log.ts';
import { Hasher } from '../hashes.ts';
import { openSqlite } from '../store/sqlite/database.ts';
import { ChildRelay } from '../testing/child-relay.ts';
import { newRoom, random16, TestClient } from '../testing/client.ts';
import { freePort, redisBinary, startRedis } from '../testing/engines.ts';
import { afterThisTest, joinedRoom, type Running, startRelay, temporaryFolder } from '../testing/relay-fixture.ts';
import { loadSettings } from './load.ts';
import type { SETTINGS } from './settings.ts';

/** What each variable changes, seen from outside. */

/** A relay with these variables set. */
function withVariables(env: Record<string, string>): Promise<Running> {
  const variables = { PORT: '0', RELAY_HOST: '127.0.0.1', RELAY_DATA_DIR: temporaryFolder(), ...env };
  const database = { RELAY_DATABASE_URL: `sqlite:${join(variables.RELAY_DATA_DIR, 'relay.db')}` };
  return startRelay(loadSettings({ ...database, ...variables }));
}

const limitsOf = async (running: Running) => {
  const client = await running.client();
  const room = newRoom();
  await client.create(room);
  return (await client.join(room)).ok!.limits;
};

async function connections(running: Running, wanted: number): Promise<boolean[]> {
  const admitted: boolean[] = [];
  for (let i = 0; i < wanted; i++) admitted.push(await letIn(running));
  return admitted;
}

async function letIn(running: Running, headers: Record<string, string> = {}): Promise<boolean> {
  const client = new TestClient(running.url, { headers });
  afterThisTest(() => client.close());
  return client.admitted();
}

/** A member who was away comes back for everything. */
async function missed(running: Running, fill: (ana: TestClient) => Promise<void>) {
  const { room, clients } = await joinedRoom(running);
  const [ana, bo] = clients as [TestClient, TestClient];
  const { epoch } = (await (await running.client()).create(room)).ok!;
  bo.close();
  await expect.poll(() => ana.presences.at(-1)?.presence).toBe('away');
  await fill(ana);
  const back = await running.client({ identity: bo });
  return (await back.join(room, { since: { epoch, seq: 0 } })).ok!.gap;
}

const pushed = (client: TestClient, count: number) => client.until(() => client.acknowledged.length >= count);

/** What an OpenTelemetry collector is sent first. */
async function collected(env: Record<string, string>): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  afterThisTest(() => server.close());
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await withVariables({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRIC_EXPORT_INTERVAL: '100', ...env });
  const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  let body = '';
  for await (const chunk of request) body += chunk;
  response.end();
  return { headers: request.headers, body };
}

const EFFECTS: { [K in keyof typeof SETTINGS]: () => Promise<void> } = {
  async port() {
    const port = await freePort();
    expect((await withVariables({ PORT: `${port}` })).url).toBe(`http://127.0.0.1:${port}`);
  },
  async host() {
    const { url } = await withVariables({ RELAY_HOST: '127.0.0.2' });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await expect(fetch(`${url.replace('127.0.0.2', '127.0.0.1')}/healthz`)).rejects.toThrow();
  },
  async databaseUrl() {
    const file = join(temporaryFolder(), 'elsewhere.db');
    await withVariables({ RELAY_DATABASE_URL: `sqlite:${file}` });
    expect(existsSync(file)).toBe(true);
  },
  async redisUrl() {
    if (!redisBinary()) return;
    const redis = await startRedis();
    afterThisTest(() => redis.dispose());
    await joinedRoom(await withVariables({ RELAY_REDIS_URL: redis.url, RELAY_PEPPER: 'the pepper of all relays' }));
    const client = new Redis(redis.url);
    afterThisTest(() => client.disconnect());
    expect(await client.dbsize()).toBeGreaterThan(0);
  },
  async dataDir() {
    const folder = join(temporaryFolder(), 'made');
    await withVariables({ RELAY_DATA_DIR: folder });
    expect(readdirSync(folder)).toContain('pepper');
  },
  async durability() {
    const client = await (await withVariables({ RELAY_DURABILITY: 'memory' })).client();
    const room = newRoom();
    await client.create(room);
    expect((await client.join(room)).ok?.durability).toBe('memory');
  },
  async retentionMs() {
    expect((await limitsOf(await withVariables({ RELAY_RETENTION: '90s' }))).retentionMs).toBe(90_000);
    const running = await withVariables({ RELAY_RETENTION: '1s' });
    const { clients } = await joinedRoom(running);
    clients[1]!.close();
    await clients[0]!.until(() => clients[0]!.presences.at(-1)?.presence === 'gone');
  },
  async eventRetentionMs() {
    const folder = temporaryFolder();
    const [older, younger] = [Date.now() - 7_200_000, Date.now() - 1_800_000];
    const variables = { RELAY_DATA_DIR: folder, RELAY_EVENT_RETENTION: '1h' };
    const kept = async () => {
      const { relay } = await withVariables(variables);
      await relay.close();
      const database = openSqlite({ file: join(folder, 'relay.db'), fsync: false });
      const log = new EventLog(database.queries);
      const times = (await log.read({})).map(({ ts }) => Number(ts));
      await log.write([older, younger].map((ts) => ({ ts, kind: 'room-created' as const })));
      await database.close();
      return times;
    };
    await kept();
    const times = await kept();
    expect([times.includes(older), times.includes(younger)]).toEqual([false, true]);
  },
  async origins() {
    const running = await withVariables({ RELAY_ORIGINS: 'https://mine.example' });
    expect(await letIn(running, { origin: 'https://mine.example' })).toBe(true);
    expect(await letIn(running, { origin: 'https://other.example' })).toBe(false);
  },
  async operatorSecret() {
    const running = await withVariables({ RELAY_OPERATOR_SECRET: 'a secret of the operator' });
    expect((await (await running.client()).create(newRoom())).error?.code).toBe('REFUSED');
  },
  async pepper() {
    const pepper = 'a pepper that was chosen';
    const running = await withVariables({ RELAY_PEPPER: pepper });
    const { room } = await joinedRoom(running);
    const database = openSqlite({ file: join(running.dataDir, 'relay.db'), fsync: false, readonly: true });
    const [row] = await database.queries.selectFrom('room').select('room_hash').execute();
    await database.close();
    expect(row?.room_hash).toBe(new Hasher(pepper).name('room', room.room));
    expect(readdirSync(running.dataDir)).not.toContain('pepper');
  },
  async trustedProxies() {
    const running = await withVariables({ RELAY_TRUSTED_PROXIES: '127.0.0.0/8', RELAY_MAX_PER_ADDRESS: '1' });
    expect(await letIn(running, { 'x-forwarded-for': '203.0.113.1' })).toBe(true);
    expect(await letIn(running, { 'x-forwarded-for': '203.0.113.2' })).toBe(true);
    expect(await letIn(running, { 'x-forwarded-for': '203.0.113.2' })).toBe(false);
  },
  async opsPort() {
    const port = await freePort();
    const { url } = await withVariables({ RELAY_OPS_PORT: `${port}` });
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  },
  async logLevel() {
    const lines = async (level: string) => {
      const folder = temporaryFolder();
      const relay = await ChildRelay.start(folder, { RELAY_LOG_LEVEL: level });
      afterThisTest(() => relay.stop('SIGKILL'));
      const client = new TestClient(relay.url);
      afterThisTest(() => client.close());
      const room = newRoom();
      await client.create(room);
      await client.join(room);
      // Files cannot be kept in a file.
      rmSync(join(folder, 'blobs'), { recursive: true });
      writeFileSync(join(folder, 'blobs'), '');
      const request = { blob: random16(), index: 0, last: true };
      expect((await client.socket.emitWithAck('blob:put', request, randomBytes(BLOB_CHUNK_BYTES))).error?.code).toBe(
        'UNAVAILABLE',
      );
      await relay.stop('SIGTERM');
      return relay.output.filter((line) => line.startsWith('{')).length;
    };
    expect([(await lines('error')) > 0, await lines('silent')]).toEqual([true, 0]);
  },
  async otlpEndpoint() {
    await collected({});
  },
  async otlpHeaders() {
    const { headers } = await collected({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc' });
    expect(headers.authorization).toBe('Bearer abc');
  },
  async otlpIntervalMs() {
    // The default is a minute.
    await collected({ OTEL_METRIC_EXPORT_INTERVAL: '200' });
  },
  async otlpServiceName() {
    expect((await collected({ OTEL_SERVICE_NAME: 'a relay of mine' })).body).toContain('"a relay of mine"');
  },
  async demoDir() {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'index.html'), 'a page');
    const { url } = await withVariables({ RELAY_DEMO_DIR: folder });
    expect(await (await fetch(`${url}/`)).text()).toBe('a page');
  },
  async maxRooms() {
    const client = await (await withVariables({ RELAY_MAX_ROOMS: '1' })).client();
    expect((await client.create(newRoom())).ok).toBeDefined();
    expect((await client.create(newRoom())).error?.code).toBe('REFUSED');
  },
  async maxConnections() {
    expect(await connections(await withVariables({ RELAY_MAX_CONNECTIONS: '2' }), 3)).toEqual([true, true, false]);
  },
  async maxPerAddress() {
    expect(await connections(await withVariables({ RELAY_MAX_PER_ADDRESS: '2' }), 3)).toEqual([true, true, false]);
  },
  async frameBytes() {
    const running = await withVariables({ RELAY_FRAME_BYTES: '1024' });
    const [ana] = (await joinedRoom(running)).clients as [TestClient];
    ana.push({ body: randomBytes(1024) }, { body: randomBytes(1025) });
    await pushed(ana, 2);
    expect(ana.acks.flatMap(({ refused = [] }) => refused.map(({ push, error }) => [push, error.code]))).toEqual([
      [2, 'TOO_LARGE'],
    ]);
    expect((await limitsOf(running)).frameBytes).toBe(1024);
  },
  async roomBytes() {
    const gap = await missed(await withVariables({ RELAY_ROOM_BYTES: '1MiB' }), async (ana) => {
      for (let sent = 1; sent <= 6; sent++) {
        ana.push({ body: randomBytes(200_000) });
        await pushed(ana, sent);
      }
    });
    expect(gap).toEqual({ from: 1, to: 1 });
  },
  async roomFrames() {
    const gap = await missed(await withVariables({ RELAY_ROOM_FRAMES: '16' }), async (ana) => {
      for (let sent = 1; sent <= 20; sent++) {
        ana.push({ text: 'x' });
        await pushed(ana, sent);
      }
    });
    expect(gap).toEqual({ from: 1, to: 4 });
  },
  async blobRoomBytes() {
    expect((await limitsOf(await withVariables({ RELAY_BLOB_ROOM_BYTES: '2MiB' }))).blobs?.roomBytes).toBe(2 * 2 ** 20);
  },
  async blobTotalBytes() {
    const running = await withVariables({ RELAY_BLOB_BYTES: '1MiB' });
    const blob = random16();
    const [ana] = (await joinedRoom(running)).clients as [TestClient];
    const codes: (string | undefined)[] = [];
    for (let index = 0; index * BLOB_CHUNK_BYTES <= 2 ** 20; index++) {
      const request = { blob, index, last: false };
      codes.push((await ana.socket.emitWithAck('blob:put', request, randomBytes(BLOB_CHUNK_BYTES))).error?.code);
    }
    expect(codes[0]).toBeUndefined();
    expect(codes.at(-1)).toBeDefined();
  },
  async blobRetentionMs() {
    expect((await limitsOf(await withVariables({ RELAY_BLOB_RETENTION: '1h' }))).blobs?.retentionMs).toBe(3_600_000);
  },
  async rateConnections() {
    const admitted = await connections(await withVariables({ RELAY_RATE_CONNECTIONS: '1' }), 12);
    // Ten seconds' worth at once.
    expect([admitted.slice(0, 10).every(Boolean), admitted.includes(false)]).toEqual([true, true]);
  },
  async rateControl() {
    const client = await (await withVariables({ RELAY_RATE_CONTROL: '1' })).client();
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 12; i++) codes.push((await client.create(newRoom())).error?.code);
    expect([codes.slice(0, 10).every((code) => code === undefined), codes.includes('RATE_LIMITED')]).toEqual([true, true]);
  },
  async rateRequests() {
    const { url } = await withVariables({ RELAY_RATE_REQUESTS: '1' });
    const statuses: number[] = [];
    for (let i = 0; i < 14; i++) statuses.push((await fetch(`${url}/healthz`)).status);
    expect([statuses.slice(0, 10), statuses.includes(429)]).toEqual([Array(10).fill(200), true]);
  },
  async rateFrames() {
    const [ana] = (await joinedRoom(await withVariables({ RELAY_RATE_FRAMES: '20' }))).clients as [TestClient];
    for (let i = 0; i < 50; i++) ana.push({ text: 'x' });
    await pushed(ana, 50);
    expect(ana.slowed).toBeGreaterThan(0);
  },
  async rateBytes() {
    const [ana, bo] = (await joinedRoom(await withVariables({ RELAY_RATE_BYTES: '100000' }))).clients as [TestClient, TestClient];
    const bodies = Array.from({ length: 12 }, () => randomBytes(20_000));
    for (const body of bodies) ana.push({ body });
    await bo.until(() => bo.deliveries.length === bodies.length);
    expect(ana.slowed).toBeGreaterThan(0);
    expect(bo.deliveries.map(({ body }) => Buffer.from(body))).toEqual(bodies);
  },
};

describe('a variable has the effect that is documented', () => {
  it.each(Object.entries(EFFECTS))('%s', (_, effect) => effect());
});
