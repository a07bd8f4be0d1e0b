import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { migrate } from '../../database/migrations.ts';
import type { Schema } from '../../database/schema.ts';

/** Sequence numbers and milliseconds fit a double; the driver would give 64-bit integers as texts. */
const parseNumber = (text: string): number => Number(text);

export interface PostgresDatabase {
  pool: pg.Pool;
  queries: Kysely<Schema>;
  close(): Promise<void>;
}

export interface PostgresOptions {
  url: string;
  /** Do not wait for the disk at a commit. */
  relaxed: boolean;
  failed(error: unknown): void;
}

/** Types of a connection: 64-bit integers as numbers. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? parseNumber : pg.types.getTypeParser(oid, format as 'text'),
} as unknown as pg.CustomTypesConfig;

export const connection = (url: string, relaxed: boolean): pg.ClientConfig => ({
  connectionString: url,
  application_name: 'qsec2-relay',
  keepAlive: true,
  connectionTimeoutMillis: 5000,
  types,
  ...(relaxed && { options: '-c synchronous_commit=off' }),
});

export function openPostgres({ url, relaxed, failed }: PostgresOptions): PostgresDatabase {
  const pool = new pg.Pool({ ...connection(url, relaxed), max: 8 });
  // The pool listens to a connection only while nobody uses it. One that breaks between two queries of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', failed));
  pool.on('error', () => {});
  const queries = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return { pool, queries, close: () => queries.destroy() };
}

export const migratePostgres = ({ queries }: PostgresDatabase): Promise<string[]> =>
  migrate(queries, { serial: 'bigserial', bytes: 'bytea' });
