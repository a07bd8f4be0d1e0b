import type { Durability } from '@qsec2/sdk/wire';
import { Redis, type RedisOptions } from 'ioredis';
import { type Clock, sharedClock } from '../../clock.ts';
import { SettingError } from '../../config/settings.ts';
import { HEART_OPTIONS, LAST_BEAT, RedisStore, type RedisStoreOptions } from './redis-store.ts';
import { seatsOf } from './room-hash.ts';

const OPTIONS = {
  connectTimeout: 5000,
  // Commands wait for so many attempts to connect, then fail: their senders are told and push again.
  maxRetriesPerRequest: 5,
  retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
} satisfies RedisOptions;

const RANK: Record<Durability, number> = { memory: 0, wal: 1, fsync: 2 };

/** A connection for one command of an operator. */
async function briefly<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { ...OPTIONS, lazyConnect: true, retryStrategy: () => null });
  // The error is thrown by `connect` as well.
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await work(redis);
  } catch (cause) {
    if (cause instanceof SettingError) throw cause;
    throw new SettingError('RELAY_REDIS_URL', 'a Redis that can be reached', { cause });
  } finally {
    redis.disconnect();
  }
}

/**
 * @returns what an acknowledged frame survives there.
 * @throws {SettingError} when it cannot be reached, or keeps less than is wanted.
 */
export function checkRedis(url: string, wanted: Durability): Promise<Durability> {
  return briefly(url, async (redis) => enough(await durabilityOf(redis), wanted));
}

/** Every room with its seats, by the hashes of their ids. */
export function listRooms(url: string): Promise<{ room: string; seats: number; capacity: number }[]> {
  return briefly(url, async (redis) => {
    const rooms = await redis.zrange('qsec2:due', '0', '-1');
    return Promise.all(
      rooms.map(async (room) => {
        const hash = await redis.hgetall(`qsec2:room:${room}`);
        return { room, seats: seatsOf(hash).length, capacity: Number(hash.capacity) };
      }),
    );
  });
}

/** @throws {SettingError} when Redis keeps less than is wanted, or does not say what it keeps. */
function enough(durability: Durability | undefined, wanted: Durability): Durability {
  if (durability === undefined ? wanted === 'memory' : RANK[durability] >= RANK[wanted]) return durability ?? 'memory';
  throw new SettingError(
    'RELAY_DURABILITY',
    `no more than this Redis keeps (${durability ?? 'unknown'}): fsync takes appendonly yes and appendfsync always, wal takes appendonly yes and any appendfsync but everysec`,
  );
}

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
  const heart = new Redis(url, { ...OPTIONS, lazyConnect: true, ...HEART_OPTIONS });
  const all = [redis, subscriber, heart];
  for (const connection of all) connection.on('error', failed);
  const disconnect = () => {
    for (const connection of all) connection.disconnect();
  };
  try {
    await Promise.all(all.map((connection) => connection.connect()));
  } catch {
    disconnect();
    throw new SettingError('RELAY_REDIS_URL', 'a Redis that can be reached');
  }
  let durability: Durability;
  try {
    durability = enough(await durabilityOf(redis), wanted);
  } catch (error) {
    disconnect();
    throw error;
  }
  const [seconds, micros] = await redis.time();
  const clock = await sharedClock(Number(seconds) * 1000 + Math.floor(Number(micros) / 1000), async () => {
    const last = await redis.get(LAST_BEAT);
    return new Map(last === null ? [] : [['last', Number(last)]]);
  });
  const store = await RedisStore.open({ ...options, redis, subscriber, heart, clock, durability });
  return { store, clock };
}

/** What an acknowledged write survives; undefined when the server does not say. */
async function durabilityOf(redis: Redis): Promise<Durability | undefined> {
  try {
    const [, appendonly] = (await redis.config('GET', 'appendonly')) as string[];
    const [, appendfsync] = (await redis.config('GET', 'appendfsync')) as string[];
    if (appendonly !== 'yes') return 'memory';
    if (appendfsync === 'always') return 'fsync';
    // While the sync of the second is under way, `everysec` answers before it has written: kill -9 at that moment loses what it took.
    return appendfsync === 'everysec' ? 'memory' : 'wal';
  } catch {
    // Hosted services often forbid CONFIG.
    return undefined;
  }
}
