import type { Durability } from '@qsec2/sdk/wire';
import { Redis, type RedisOptions } from 'ioredis';
import { type Clock, steadyClock } from '../../clock.ts';
import { SettingError } from '../../config/settings.ts';
import { RedisStore, type RedisStoreOptions } from './redis-store.ts';

const OPTIONS: RedisOptions = {
  connectTimeout: 5000,
  // Commands wait for so many attempts to connect, then fail: their senders are told and push again.
  maxRetriesPerRequest: 5,
  retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
};

const RANK: Record<Durability, number> = { memory: 0, wal: 1, fsync: 2 };

/**
 * Connects to Redis.
 *
 * @throws {SettingError} when it cannot be reached, or keeps less than `RELAY_DURABILITY` asks for.
 */
export async function openRedisStore(
  url: string,
  wanted: Durability,
  options: Pick<RedisStoreOptions, 'node' | 'limits' | 'observer'>,
): Promise<{ store: RedisStore; clock: Clock }> {
  const { failed } = options.observer;
  const redis = new Redis(url, { ...OPTIONS, lazyConnect: true });
  const subscriber = new Redis(url, { ...OPTIONS, lazyConnect: true, maxRetriesPerRequest: null });
  for (const connection of [redis, subscriber]) connection.on('error', failed);
  try {
    await Promise.all([redis.connect(), subscriber.connect()]);
  } catch {
    redis.disconnect();
    subscriber.disconnect();
    throw new SettingError('RELAY_REDIS_URL', 'a Redis that can be reached');
  }
  const durability = await durabilityOf(redis);
  if (durability === undefined ? wanted !== 'memory' : RANK[durability] < RANK[wanted]) {
    redis.disconnect();
    subscriber.disconnect();
    throw new SettingError(
      'RELAY_DURABILITY',
      `no more than this Redis keeps (${durability ?? 'unknown'}); see appendonly and appendfsync`,
    );
  }
  const [seconds, micros] = await redis.time();
  const clock = steadyClock(Number(seconds) * 1000 + Math.floor(Number(micros) / 1000));
  const store = await RedisStore.open({ ...options, redis, subscriber, clock, durability: durability ?? 'memory' });
  return { store, clock };
}

/** What an acknowledged write survives; undefined when the server does not say. */
async function durabilityOf(redis: Redis): Promise<Durability | undefined> {
  try {
    const [, appendonly] = (await redis.config('GET', 'appendonly')) as string[];
    const [, appendfsync] = (await redis.config('GET', 'appendfsync')) as string[];
    if (appendonly !== 'yes') return 'memory';
    return appendfsync === 'always' ? 'fsync' : 'wal';
  } catch {
    // Hosted services often forbid CONFIG.
    return undefined;
  }
}
