import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, postgresFolder, startPostgres } from '../../testing/engines.ts';
import { movableClock, recordingObserver } from '../../testing/observer.ts';
import { afterThisTest } from '../../testing/relay-fixture.ts';
import { slowNetwork } from '../../testing/slow-network.ts';
import { CONTRACT_LIMITS, storeContract } from '../contract.ts';
import { connection, migratePostgres, openPostgres } from './database.ts';
import { Listener } from './listener.ts';
import { PostgresStore } from './postgres-store.ts';

describe.skipIf(!postgresFolder())('with a PostgreSQL', () => {
  let postgres: Engine;
  beforeAll(async () => {
    postgres = await startPostgres();
    const db = openPostgres({ url: postgres.url, relaxed: false, failed: () => {} });
    await migratePostgres(db);
    await db.close();
  }, 60_000);
  afterAll(() => postgres.dispose());

  it('a connection that breaks within a transaction is reported, and does no harm', async () => {
    const broken: unknown[] = [];
    const db = openPostgres({ url: postgres.url, relaxed: false, failed: (error) => broken.push(error) });
    afterThisTest(() => db.close());
    const client = await db.pool.connect();
    await client.query('BEGIN');
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    // Nobody waits for an answer at this moment: without a listener the error would end the process.
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await db.pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    await ended;
    client.release(true);
    expect(broken).not.toEqual([]);
    expect((await db.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  storeContract('PostgreSQL', { kept: true, shared: true }, async () => {
    const clock = movableClock();
    const { told, observer } = recordingObserver();
    const open = async (node: string, url = postgres.url, heartUrl = postgres.url) => {
      const db = openPostgres({ url, relaxed: false, failed: observer.failed });
      afterThisTest(() => db.close());
      const store = await PostgresStore.open({
        db,
        durability: 'fsync',
        node,
        clock,
        limits: CONTRACT_LIMITS,
        observer,
        listener: (heard, again) => new Listener(connection(heartUrl, false), heard, again, observer.failed),
      });
      afterThisTest(() => store.close());
      return { store, db };
    };
    const node = randomUUID();
    const { store, db } = await open(node);
    await sql`TRUNCATE room, member, segment, identity, transient, node`.execute(db.queries);
    return {
      store,
      node,
      now: () => clock.now(),
      told,
      async advance(ms) {
        clock.ahead += ms;
        await store.check();
        await store.sweep();
      },
      reopen: async () => (await open(node)).store,
      peer: async () => (await open(randomUUID())).store,
      async far(beatsWait) {
        const network = await slowNetwork(postgres.port, 0);
        afterThisTest(() => network.close());
        const url = postgres.url.replace(`:${postgres.port}`, `:${network.port}`);
        const node = randomUUID();
        const { store } = await open(node, url, beatsWait ? url : postgres.url);
        return { store, node, hold: network.hold };
      },
    };
  });
});
