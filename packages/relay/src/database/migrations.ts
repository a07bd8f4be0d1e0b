import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Schema } from './schema.ts';

/** What differs between the two databases, beside what Kysely takes care of. */
export interface Dialectal {
  /** Column type of a number that grows by itself. */
  serial: 'integer' | 'bigserial';
  bytes: 'blob' | 'bytea';
}

/**
 * Every change of the schema, oldest first. A change that was released is never edited: add another one.
 */
const migrations = ({ serial, bytes }: Dialectal): Record<string, Migration> => ({
  '0001-rooms': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('room')
        .addColumn('id', serial, (column) => column.primaryKey())
        .addColumn('room_hash', 'text', (column) => column.notNull().unique())
        .addColumn('epoch', 'text', (column) => column.notNull())
        .addColumn('token_hash', sql.raw(bytes), (column) => column.notNull())
        .addColumn('end_token_hash', sql.raw(bytes), (column) => column.notNull())
        .addColumn('capacity', 'integer', (column) => column.notNull())
        .addColumn('created', 'bigint', (column) => column.notNull())
        .addColumn('head_seq', 'bigint', (column) => column.notNull())
        .addColumn('floor_seq', 'bigint', (column) => column.notNull())
        .addColumn('empty_since', 'bigint', (column) => column.notNull())
        .addColumn('due', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('room_due').on('room').column('due').execute();
      await db.schema
        .createTable('member')
        .addColumn('room', 'bigint', (column) => column.notNull())
        .addColumn('seat', 'text', (column) => column.notNull())
        .addColumn('secret_hash', sql.raw(bytes), (column) => column.notNull())
        .addColumn('holder', 'text')
        .addColumn('away_since', 'bigint', (column) => column.notNull())
        .addColumn('recv_seq', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('member_pk', ['room', 'seat'])
        .execute();
      await db.schema
        .createTable('segment')
        .addColumn('room', 'bigint', (column) => column.notNull())
        .addColumn('first_seq', 'bigint', (column) => column.notNull())
        .addColumn('last_seq', 'bigint', (column) => column.notNull())
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('items', sql.raw(bytes), (column) => column.notNull())
        .addPrimaryKeyConstraint('segment_pk', ['room', 'first_seq'])
        .execute();
    },
  },
  '0002-events': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('event')
        .addColumn('id', serial, (column) => column.primaryKey())
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('room_hash', 'text')
        .addColumn('actor_hash', 'text')
        .addColumn('n', 'bigint')
        .addColumn('bytes', 'bigint')
        .addColumn('first_seq', 'bigint')
        .addColumn('last_seq', 'bigint')
        .addColumn('detail', 'text')
        .execute();
      await db.schema.createIndex('event_room').on('event').columns(['room_hash', 'id']).execute();
      await db.schema.createIndex('event_ts').on('event').column('ts').execute();
    },
  },
  '0003-shared': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('identity')
        .addColumn('room', 'bigint', (column) => column.notNull())
        .addColumn('id', sql.raw(bytes), (column) => column.notNull())
        .addColumn('seq', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('identity_pk', ['room', 'id'])
        .execute();
      await db.schema.createIndex('identity_seq').on('identity').columns(['room', 'seq']).execute();
      await db.schema
        .createTable('transient')
        .addColumn('id', serial, (column) => column.primaryKey())
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('items', sql.raw(bytes), (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('node')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('seen', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
  '0004-operator': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('operator_order')
        .addColumn('id', serial, (column) => column.primaryKey())
        .addColumn('ts', 'bigint', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('target', 'text', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('blocked')
        .addColumn('address_hash', 'text', (column) => column.primaryKey())
        .addColumn('until', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
  '0005-incarnation': {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('room').addColumn('incarnation', 'text').execute();
      // SQLite has no tables that a crash empties, and does not need one: a file beside it says as much.
      if (bytes !== 'bytea') return;
      await sql`CREATE UNLOGGED TABLE incarnation (one boolean PRIMARY KEY DEFAULT true, id text NOT NULL)`.execute(db);
    },
  },
  '0006-held-seats': {
    async up(db: Kysely<unknown>) {
      // Only where several relays share the database does a seat have a holder.
      if (bytes !== 'bytea') return;
      await sql`CREATE INDEX member_node ON member (split_part(holder, '.', 1)) WHERE holder IS NOT NULL`.execute(db);
    },
  },
});

/**
 * Brings the schema up to date and names the changes made.
 *
 * @throws when a change fails, or when the database was written by a newer relay.
 */
export async function migrate(db: Kysely<Schema>, dialectal: Dialectal): Promise<string[]> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations(dialectal) },
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error) throw error;
  return (results ?? []).map(({ migrationName }) => migrationName);
}
