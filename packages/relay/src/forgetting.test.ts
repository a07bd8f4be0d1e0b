import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkRedis } from './store/redis/open.ts';
import { ChildRelay } from './testing/child-relay.ts';
import { newRoom, TestClient } from './testing/client.ts';
import { postgresFolder, redisBinary, startPostgres, startRedis } from './testing/engines.ts';
import { relaysOn } from './testing/history/deployment.ts';
import { clusterFaults, redisWentBack } from './testing/history/faults.ts';
import { runScenario } from './testing/history/scenario.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

describe.skipIf(!redisBinary())('what a Redis keeps', () => {
  it.each([
    ['yes', 'always', 'fsync'],
    ['yes', 'no', 'wal'],
    ['yes', 'everysec', 'memory'],
    ['no', 'always', 'memory'],
  ] as const)('with appendonly %s and appendfsync %s is announced as %s, and no more may be asked for', async (...setting) => {
    const [appendonly, appendfsync, durability] = setting;
    const redis = await startRedis('--appendonly', appendonly, '--appendfsync', appendfsync);
    afterThisTest(() => redis.dispose());
    expect(await checkRedis(redis.url, 'memory')).toBe(durability);
    expect(await checkRedis(redis.url, durability)).toBe(durability);
    const more = { memory: 'wal', wal: 'fsync', fsync: undefined } as const;
    const asked = more[durability];
    if (asked) await expect(checkRedis(redis.url, asked)).rejects.toThrow('RELAY_DURABILITY');
  });
});

/** What was acknowledged in a mode that does not wait for the disk may be lost with the power. Then everyone is told, by a new epoch. */
describe('a log that went back', { timeout: 60_000 }, () => {
  it.skipIf(!redisBinary())('is announced to everyone at relays on a Redis that does not wait for the disk', async () => {
    const redis = await startRedis('--appendfsync', 'no');
    afterThisTest(() => redis.dispose());
    const back = redisWentBack(redis.folder);
    const outcome = await runScenario(relaysOn(redis, 2, temporaryFolder()), [back, back], { mayForget: true });
    expect(outcome.violations.slice(0, 10)).toEqual([]);
    expect(outcome.epochs).toBeGreaterThan(2);
  });

  it.skipIf(!postgresFolder())('is announced to everyone at relays on a PostgreSQL that does not wait for the disk', async () => {
    // What was committed stays in its memory for longer than it takes to kill it.
    const lazy = ['-c', 'wal_writer_delay=10000', '-c', 'wal_writer_flush_after=100MB'];
    const postgres = await startPostgres(...lazy);
    afterThisTest(() => postgres.dispose());
    const killed = clusterFaults['database killed'];
    const relays = relaysOn(postgres, 2, temporaryFolder(), { RELAY_DURABILITY: 'memory' });
    // One of them may find that everything has been written, on a machine with other work.
    const outcome = await runScenario(relays, [killed, killed, killed], { mayForget: true });
    expect(outcome.violations.slice(0, 10)).toEqual([]);
    expect(outcome.epochs).toBeGreaterThan(1);
  });

  it.each([
    ['power was lost', (folder: string) => writeFileSync(join(folder, 'relay.db.run'), '{"boot":"another","safe":false}')],
    ['a backup was put back', (folder: string) => rmSync(join(folder, 'relay.db.run'))],
  ])('is announced to everyone at a relay on SQLite when %s, whoever comes first', async (_, happened) => {
    const folder = temporaryFolder();
    let relay = await ChildRelay.start(folder);
    afterThisTest(() => relay.stop('SIGKILL'));
    const connect = async (identity?: TestClient) => {
      const client = new TestClient(relay.url, identity && { identity });
      afterThisTest(() => client.close());
      return client.connected();
    };
    const send = async (client: TestClient, count: number) => {
      client.push(...Array.from({ length: count }, (_, i) => ({ text: `${i}` })));
      await client.until(() => client.acknowledged.length === count);
    };
    const restart = async (meanwhile: () => void) => {
      await relay.stop('SIGKILL');
      meanwhile();
      relay = await ChildRelay.start(folder);
    };
    const copies = temporaryFolder();
    const files = ['relay.db', 'relay.db-wal'];
    const room = newRoom();
    const [ana, bo] = [await connect(), await connect()];
    const { epoch } = (await ana.create(room)).ok!;
    await ana.join(room);
    await bo.join(room);
    await send(ana, 20);
    await restart(() => {
      for (const file of files) copyFileSync(join(folder, file), join(copies, file));
    });

    // Nothing was lost yet: a relay that was killed goes on where it was.
    const again = await connect(ana);
    expect((await again.join(room, { since: { epoch, seq: 20 } })).ok).toMatchObject({ epoch, head: 20 });
    await send(again, 10);
    await restart(() => {
      for (const file of files) copyFileSync(join(copies, file), join(folder, file));
      rmSync(join(folder, 'relay.db-shm'));
      happened(folder);
    });

    // The one who has not seen what was lost comes first, and more is placed than was lost.
    const first = await connect(bo);
    const told = (await first.join(room, { since: { epoch, seq: 20 } })).ok!;
    expect(told).toMatchObject({ head: 20 });
    expect(told.epoch).not.toBe(epoch);
    await send(first, 15);
    const last = await connect(ana);
    expect((await last.join(room, { since: { epoch, seq: 30 } })).ok?.epoch).toBe(told.epoch);
    await last.until(() => last.cursor === 35);
    expect(last.seqs).toEqual(Array.from({ length: 35 }, (_, i) => i + 1));
  });
});
