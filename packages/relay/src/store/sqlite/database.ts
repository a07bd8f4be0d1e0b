import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type Database from 'better-sqlite3';
import { type CompiledQuery, Kysely, SqliteDialect } from 'kysely';
import { migrate } from '../../database/migrations.ts';
import type { Schema } from '../../database/schema.ts';
import { openFile } from './driver.ts';

export interface SqliteOptions {
  file: string;
  /** Wait for the disk at every commit. */
  fsync: boolean;
  readonly?: boolean;
}

/** An open database file: raw for what has to be synchronous, with Kysely to write queries and for everything else. */
export interface SqliteDatabase {
  raw: Database.Database;
  queries: Kysely<Schema>;
  close(): Promise<void>;
}

/** The file of a `sqlite:` URL. */
export const sqliteFile = (url: string): string => resolve(url.slice('sqlite:'.length));

/** Opens the file, without bringing its schema up to date. */
export function openSqlite({ file, fsync, readonly = false }: SqliteOptions): SqliteDatabase {
  if (!readonly) mkdirSync(dirname(file), { recursive: true });
  const raw = openFile(file, { readonly, fileMustExist: readonly });
  raw.pragma('busy_timeout = 5000');
  if (!readonly) {
    // A page holds a whole frame of a few KiB, so that one costs one page in the write-ahead log instead of an overflow chain.
    raw.pragma('page_size = 8192');
    raw.pragma('journal_mode = WAL');
    raw.pragma(`synchronous = ${fsync ? 'FULL' : 'NORMAL'}`);
    raw.pragma('secure_delete = OFF');
  }
  raw.pragma('foreign_keys = OFF');
  const queries = new Kysely<Schema>({ dialect: new SqliteDialect({ database: raw }) });
  return { raw, queries, close: () => queries.destroy() };
}

export const migrateSqlite = ({ queries }: SqliteDatabase): Promise<string[]> =>
  migrate(queries, { serial: 'integer', bytes: 'blob' });

/** Every room gets a new epoch: what members know of its log may not hold. */
export async function renewEpochs({ queries }: SqliteDatabase): Promise<void> {
  const epoch = randomBytes(16).toString('base64url');
  await queries.updateTable('room').set({ epoch }).execute();
}

/** A prepared statement: its parameters are bound, in their order, when it runs. */
export interface Statement<Row> {
  run(...parameters: unknown[]): { changes: number; lastInsertRowid: number | bigint };
  get(...parameters: unknown[]): Row | undefined;
  all(...parameters: unknown[]): Row[];
  iterate(...parameters: unknown[]): IterableIterator<Row>;
}

/** Prepares a query written with Kysely. Of its parameters only the order counts. */
export function prepared<Row = unknown>(db: SqliteDatabase, query: CompiledQuery): Statement<Row> {
  return db.raw.prepare<unknown[], Row>(query.sql);
}
