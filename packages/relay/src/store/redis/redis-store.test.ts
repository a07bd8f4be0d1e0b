import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Engine, redisBinary, startRedis } from '../../testing/engines.ts';
import { movableClock, recordingObserver } from '../../testing/observer.ts';
import { afterThisTest } from '../../testing/relay-fixture.ts';
import { CONTRACT_LIMITS, storeContract } from '../contract.ts';
import { RedisStore } from './redis-store.ts';

describe.skipIf(!redisBinary())('with a Redis', () => {
  let redis: Engine;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());

  storeContract('Redis', { kept: true, shared: true }, async () => {
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    const clock = movableClock();
    const { told, observer } = recordingObserver();
    const open = async (node: string) => {
      const connections = { redis: new Redis(redis.url), subscriber: new Redis(redis.url), heart: new Redis(redis.url) };
      const store = await RedisStore.open({ ...connections, durability: 'wal', node, clock, limits: CONTRACT_LIMITS, observer });
      afterThisTest(() => store.close());
      return store;
    };
    const node = randomUUID();
    const store = await open(node);
    return {
      store,
      node,
      now: () => clock.now(),
      told,
      async advance(ms) {
        clock.ahead += ms;
        await store.sweep();
      },
      reopen: () => open(node),
      peer: () => open(randomUUID()),
    };
  });
});
