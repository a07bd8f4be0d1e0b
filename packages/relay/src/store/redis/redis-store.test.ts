import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Engine, redisBinary, startRedis } from '../../testing/engines.ts';
import { movableClock, recordingObserver } from '../../testing/observer.ts';
import { afterThisTest } from '../../testing/relay-fixture.ts';
import { slowNetwork } from '../../testing/slow-network.ts';
import { CONTRACT_LIMITS, type Harness, storeContract } from '../contract.ts';
import type { Watcher } from '../store.ts';
import { RedisStore } from './redis-store.ts';

describe.skipIf(!redisBinary())('with a Redis', () => {
  let redis: Engine;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());

  const harness = async (): Promise<Harness> => {
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    const clock = movableClock();
    const { told, observer } = recordingObserver();
    const open = async (node: string, url = redis.url, heartUrl = redis.url) => {
      const connections = { redis: new Redis(url), subscriber: new Redis(redis.url), heart: new Redis(heartUrl) };
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
      async far(beatsWait) {
        const network = await slowNetwork(redis.port, 0);
        afterThisTest(() => network.close());
        const url = `redis://127.0.0.1:${network.port}`;
        const node = randomUUID();
        return { store: await open(node, url, beatsWait ? url : redis.url), node, hold: network.hold };
      },
    };
  };

  storeContract('Redis', { kept: true, shared: true }, harness);

  it('a sweep costs Redis the same whether nothing is watched or many rooms are in which nothing happens', async () => {
    // No timer has its turn in between.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    afterThisTest(() => vi.useRealTimers());
    const { store, node } = await harness();
    const admin = new Redis(redis.url);
    afterThisTest(() => admin.disconnect());
    const commands = async () => {
      const calls = (await admin.info('commandstats')).matchAll(/calls=(\d+)/g);
      return [...calls].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const cost = async () => {
      const before = await commands();
      await store.sweep();
      return (await commands()) - before;
    };
    await cost();
    const empty = await cost();
    const watcher: Watcher = {
      lowestCursor: () => Number.POSITIVE_INFINITY,
      frames() {},
      transient() {},
      seatsChanged() {},
      renewed() {},
      ended() {},
    };
    for (let i = 0; i < 40; i++) {
      const room = `room ${i}`;
      await store.create(room, { tokenHash: randomBytes(32), endTokenHash: randomBytes(32), capacity: 2 });
      await store.takeSeat(room, { seat: 'seat', secretHash: randomBytes(32), holder: `${node}.x` });
      await store.watch(room, watcher);
    }
    expect(await cost()).toBe(empty);
    expect(empty).toBeLessThan(10);
  });
});
