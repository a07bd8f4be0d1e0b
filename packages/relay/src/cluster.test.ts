import { Redis } from 'ioredis';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RelayOptions } from './relay.ts';
import { newRoom, type TestClient } from './testing/client.ts';
import { type Engine, postgresFolder, redisBinary, startPostgres, startRedis } from './testing/engines.ts';
import { type Running, startRelay } from './testing/relay-fixture.ts';

const pepper = 'one pepper for all of these relays';

interface Database {
  available: boolean;
  start(): Promise<Engine>;
  options(url: string): RelayOptions;
  /** Does what relays do that take all others for dead. */
  takeForDead(url: string): Promise<void>;
}

function cluster(name: string, { available, start, options, takeForDead }: Database): void {
  describe.skipIf(!available)(`two relays on one ${name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await start();
    }, 60_000);
    afterAll(() => engine.dispose());

    const twoRelays = async (): Promise<[Running, Running]> => {
      const both = [await startRelay({ ...options(engine.url), pepper }), await startRelay({ ...options(engine.url), pepper })];
      return both as [Running, Running];
    };

    /** Two members at each relay. */
    async function fourMembers([a, b]: [Running, Running]) {
      const room = newRoom();
      const members = [await a.client(), await b.client(), await a.client(), await b.client()];
      const { epoch } = (await members[0]!.create(room, { capacity: 4 })).ok!;
      for (const member of members) expect((await member.join(room)).ok).toBeDefined();
      return { room, epoch, members };
    }

    it('give one order to members at both, their own frames included', async () => {
      const { members } = await fourMembers(await twoRelays());
      for (let i = 0; i < 200; i++) members[i % 4]!.push({ text: `${i}` });
      await Promise.all(members.map((member) => member.until(() => member.deliveries.length === 200)));
      const [first, ...others] = members;
      expect(first!.seqs).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
      for (const member of others) expect(member.texts).toEqual(first!.texts);
      for (const member of members) {
        await member.until(() => member.acknowledged.length === 50);
        const own = member.deliveries.filter(({ from }) => Buffer.from(from).toString('base64url') === member.seat);
        expect(member.acknowledged).toEqual(own.map(({ seq }) => seq));
      }
    });

    it('show who is present, pass transient frames on, and keep to the seats', async () => {
      const relays = await twoRelays();
      const { room, members } = await fourMembers(relays);
      const [ana, bo] = members as [TestClient, TestClient];
      expect((await (await relays[1].client()).join(room)).error?.code).toBe('ROOM_FULL');
      ana.push({ text: 'typing', transient: true });
      await bo.until(() => bo.texts.includes('typing'));
      members[2]!.close();
      await bo.until(() => bo.presences.some(({ seat, presence }) => seat === members[2]!.seat && presence === 'away'));
    });

    it('resume a member at either', async () => {
      const relays = await twoRelays();
      const { room, epoch, members } = await fourMembers(relays);
      const [ana, bo] = members as [TestClient, TestClient];
      ana.push({ text: 'one' });
      await bo.until(() => bo.cursor === 1);
      bo.close();
      ana.push({ text: 'two' }, { text: 'three' });
      await ana.until(() => ana.cursor === 3);
      const moved = await relays[0].client({ identity: bo });
      expect((await moved.join(room, { since: { epoch, seq: 1 } })).ok).toMatchObject({ epoch, head: 3 });
      await moved.until(() => moved.cursor === 3);
      expect(moved.texts).toEqual(['two', 'three']);
      ana.push({ text: 'four' });
      await moved.until(() => moved.texts.includes('four'));
    });

    it('go on when one of them stops', async () => {
      const relays = await twoRelays();
      const { room, epoch, members } = await fourMembers(relays);
      const [ana, bo] = members as [TestClient, TestClient];
      ana.push({ text: 'before' });
      await bo.until(() => bo.cursor === 1);
      await relays[1].relay.close();
      ana.push({ text: 'meanwhile' });
      const moved = await relays[0].client({ identity: bo });
      await moved.join(room, { since: { epoch, seq: 1 } });
      await moved.until(() => moved.texts.length === 1);
      expect(moved.texts).toEqual(['meanwhile']);
    });

    it('take pushes again after the database was killed and came back, losing none that was acknowledged', async () => {
      const relays = await twoRelays();
      const { members } = await fourMembers(relays);
      const [ana, bo] = members as [TestClient, TestClient];
      ana.push({ text: 'before' });
      await bo.until(() => bo.cursor === 1);
      await engine.kill();
      await engine.start();
      // Until the relays have found the database again, pushes are refused; a client pushes them again.
      const pushes = Array.from({ length: 20 }, (_, i) => ({ cid: Buffer.alloc(16, i), text: `${i}` }));
      for (const push of pushes) {
        for (;;) {
          const answered = ana.acknowledged.length;
          ana.push(push);
          await ana.until(() => ana.acknowledged.length > answered);
          if (ana.acknowledged.at(-1)! > 0) break;
        }
      }
      await bo.until(() => bo.deliveries.length === 21);
      expect(bo.texts).toEqual(['before', ...pushes.map(({ text }) => text)]);
      expect(bo.seqs).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
    });

    it('say so, in log and metrics, when others took one for dead and its members were cut', async () => {
      const log: string[] = [];
      const logger = pino({ level: 'warn' }, { write: (line) => void log.push(line) });
      const { url, client } = await startRelay({ ...options(engine.url), pepper, logger });
      const room = newRoom();
      const members = [await client(), await client()];
      await members[0]!.create(room);
      for (const member of members) expect((await member.join(room)).ok).toBeDefined();
      await takeForDead(engine.url);
      for (const member of members) await member.until(() => !member.socket.connected);
      await expect
        .poll(() => log.map((line) => JSON.parse(line)), { timeout: 5000 })
        .toMatchObject([
          { level: 50, members: 2, msg: 'members were cut: other relays took this one for dead, because its heartbeat was late' },
        ]);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain('\nqsec2_relay_members_cut_late_total 2\n');
      expect(Number(/\nqsec2_relay_heartbeat_age_seconds (.+)\n/.exec(metrics)?.[1])).toBeGreaterThan(0);
      expect((await (await client({ identity: members[0]! })).join(room)).ok).toBeDefined();
    });
  });
}

cluster('Redis', {
  available: redisBinary() !== undefined,
  start: startRedis,
  options: (redisUrl) => ({ redisUrl }),
  async takeForDead(url) {
    const redis = new Redis(url);
    for (const channel of await redis.pubsub('CHANNELS', 'qsec2:room:*:ch')) {
      const key = String(channel).slice(0, -':ch'.length);
      const held = Object.keys(await redis.hgetall(key)).filter((field) => field.startsWith('h:'));
      for (const field of held) await redis.hset(key, field, '');
      await redis.publish(`${key}:ch`, 's');
    }
    redis.disconnect();
  },
});
cluster('PostgreSQL', {
  available: postgresFolder() !== undefined,
  start: startPostgres,
  options: (databaseUrl) => ({ databaseUrl }),
  async takeForDead(url) {
    const client = new pg.Client(url);
    await client.connect();
    await client.query('UPDATE member SET holder = NULL');
    await client.query(`SELECT pg_notify('qsec2_relay', json_build_object('kind', 'seats', 'room', room_hash)::text) FROM room`);
    await client.end();
  },
});
