import { describe, expect, it } from 'vitest';
import { checkRedis } from './store/redis/open.ts';
import { redisBinary, startRedis } from './testing/engines.ts';
import { relaysOn } from './testing/history/deployment.ts';
import { redisWentBack } from './testing/history/faults.ts';
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
});
