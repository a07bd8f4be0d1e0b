import type { Durability } from '@qsec2/sdk/wire';
import { sql } from 'kysely';
import { type Clock, sharedClock } from '../../clock.ts';
import { connection } from './database.ts';
import { Listener } from './listener.ts';
import { PostgresStore, type PostgresStoreOptions } from './postgres-store.ts';

/** A PostgreSQL commits to disk before it answers; with `memory` the relay tells it not to wait. */
export async function openPostgresStore(
  url: string,
  wanted: Durability,
  options: Pick<PostgresStoreOptions, 'db' | 'node' | 'limits' | 'observer'>,
): Promise<{ store: PostgresStore; clock: Clock }> {
  const relaxed = wanted === 'memory';
  const { rows } = await sql<{ now: number }>`SELECT floor(extract(epoch FROM now()) * 1000)::bigint AS now`.execute(
    options.db.queries,
  );
  const clock = await sharedClock(rows[0]!.now, async () => {
    const nodes = await options.db.queries.selectFrom('node').select(['name', 'seen']).execute();
    return new Map(nodes.map(({ name, seen }) => [name, seen]));
  });
  const store = await PostgresStore.open({
    ...options,
    clock,
    durability: relaxed ? 'memory' : 'fsync',
    // What it writes are heartbeats: they need not wait for the disk.
    listener: (heard, again) => new Listener(connection(url, true), heard, again, options.observer.failed),
  });
  return { store, clock };
}
