import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { type Clock, steadyClock } from './clock.ts';
import { type RelaySettings, SettingError } from './config/settings.ts';
import type { Schema } from './database/schema.ts';
import { EventLog } from './events/event-log.ts';
import { Orders } from './operator/orders.ts';
import { pepperOf, sharesRooms } from './pepper.ts';
import { StartError } from './start-error.ts';
import { LocalStore } from './store/local/local-store.ts';
import { MemoryJournal } from './store/local/memory-journal.ts';
import type { PostgresDatabase } from './store/postgres/database.ts';
import { startCheckpointer } from './store/sqlite/checkpointer.ts';
import { migrateSqlite, openSqlite, renewEpochs, type SqliteDatabase, sqliteFile } from './store/sqlite/database.ts';
import { DatabaseFiles } from './store/sqlite/database-files.ts';
import { Incarnation } from './store/sqlite/incarnation.ts';
import { lockDatabase } from './store/sqlite/lock.ts';
import { SqliteJournal } from './store/sqlite/sqlite-journal.ts';
import type { SharedObserver, Store, StoreObserver } from './store/store.ts';

/** Everything a relay keeps its data in. */
export interface Storage {
  store: Store;
  eventLog: EventLog;
  orders: Orders;
  /** The time all relays that share the data go by. */
  clock: Clock;
  /** Name of this process among them. */
  node: string;
  /** @throws {StorageLost} when what it opened is not where it was. Whether something can be written is for {@link Store.check}. */
  inPlace(): void;
  close(): Promise<void>;
}

/** The database of the settings, with its schema up to date. */
export type Database =
  | { kind: 'sqlite'; sqlite: SqliteDatabase; queries: Kysely<Schema>; migrated: string[]; close(): Promise<void> }
  | { kind: 'postgres'; postgres: PostgresDatabase; queries: Kysely<Schema>; migrated: string[]; close(): Promise<void> };

/**
 * Opens the database and brings its schema up to date. Drivers are loaded when they are needed.
 *
 * @throws {SettingError} when it cannot be opened, written or understood.
 */
export async function openDatabase(settings: RelaySettings, failed: (error: unknown) => void): Promise<Database> {
  // Made before the database, whichever command comes first: a database without its pepper is an error.
  if (!sharesRooms(settings)) pepperOf(settings);
  return usable(() => open(settings, failed));
}

/**
 * Deletes what was hashed under a pepper that is lost, but for the event log, while no relay runs.
 *
 * @returns how many rooms there were.
 */
export function forgetHashed(settings: RelaySettings): Promise<number> {
  return usable(async () => {
    const { queries, close } = await open(settings, () => {});
    const unlock = lockDatabase(sqliteFile(settings.databaseUrl));
    try {
      for (const table of ['segment', 'member', 'blocked', 'operator_order'] as const) await queries.deleteFrom(table).execute();
      return Number((await queries.deleteFrom('room').executeTakeFirst()).numDeletedRows);
    } finally {
      unlock();
      await close();
    }
  });
}

async function usable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    throw new SettingError('RELAY_DATABASE_URL', `a database of this relay that can be written (${reasonOf(cause)})`, { cause });
  }
}

/** The code of the driver's error, such as SQLITE_CORRUPT, ECONNREFUSED or 28P01; its text may hold a password. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown reason';
}

async function open({ databaseUrl, durability }: RelaySettings, failed: (error: unknown) => void): Promise<Database> {
  if (databaseUrl.startsWith('sqlite:')) {
    const sqlite = openSqlite({ file: sqliteFile(databaseUrl), fsync: durability === 'fsync' });
    const migrated = await migrateSqlite(sqlite);
    return { kind: 'sqlite', sqlite, queries: sqlite.queries, migrated, close: sqlite.close };
  }
  const { migratePostgres, openPostgres } = await import('./store/postgres/database.ts');
  const postgres = openPostgres({ url: databaseUrl, relaxed: durability === 'memory', failed });
  const migrated = await migratePostgres(postgres);
  return { kind: 'postgres', postgres, queries: postgres.queries, migrated, close: postgres.close };
}

export async function openStorage(settings: RelaySettings, observer: SharedObserver): Promise<Storage> {
  const database = await openDatabase(settings, observer.failed);
  const eventLog = new EventLog(database.queries);
  const node = randomUUID();
  // A file can be opened and read though it cannot be written, or is damaged further on.
  const opening = usable(() => openStore(settings, database, eventLog, node, observer));
  const {
    store,
    clock,
    inPlace = () => {},
    release,
    closed,
  } = await opening.catch(async (error) => {
    await database.close();
    throw error;
  });
  const close = async () => {
    await store.close();
    await release?.();
    await database.close();
    closed?.();
  };
  return { store, eventLog, orders: new Orders(database.queries), clock, node, inPlace, close };
}

interface OpenStore {
  store: Store;
  clock: Clock;
  inPlace?: () => void;
  /** Before the database is closed, and after it. */
  release?: () => Promise<void>;
  closed?: () => void;
}

async function openStore(
  settings: RelaySettings,
  database: Database,
  eventLog: EventLog,
  node: string,
  observer: SharedObserver,
): Promise<OpenStore> {
  const { durability, retentionMs, maxRooms, roomBytes, roomFrames, redisUrl } = settings;
  const limits = { retentionMs, maxRooms, roomBytes, roomFrames };
  if (redisUrl !== undefined) {
    const { openRedisStore } = await import('./store/redis/open.ts');
    return openRedisStore(redisUrl, durability, { node, limits, observer });
  }
  if (database.kind === 'postgres') {
    const { openPostgresStore } = await import('./store/postgres/open.ts');
    return openPostgresStore(settings.databaseUrl, durability, { db: database.postgres, node, limits, observer });
  }
  return openLocalStore(settings, database.sqlite, eventLog, observer);
}

/** The store of a relay that stands alone. */
async function openLocalStore(
  settings: RelaySettings,
  sqlite: SqliteDatabase,
  eventLog: EventLog,
  observer: StoreObserver,
): Promise<OpenStore> {
  const { durability, databaseUrl, retentionMs, maxRooms, roomBytes, roomFrames } = settings;
  const file = sqliteFile(databaseUrl);
  const unlock = lockDatabase(file);
  try {
    // Times of a room never run backwards, though the machine's clock was set back while the relay was stopped.
    const clock = steadyClock(Math.max(Date.now(), await eventLog.lastTime()));
    const incarnation = new Incarnation(file, durability === 'fsync');
    if (incarnation.mayHaveGoneBack) await renewEpochs(sqlite);
    const files = new DatabaseFiles(sqlite, () => incarnation.doubt());
    const journal =
      durability === 'memory' ? new MemoryJournal() : new SqliteJournal(sqlite, files, durability, clock.now(), retentionMs);
    const stopCheckpoints = startCheckpointer(sqlite, file, durability === 'fsync', observer.failed);
    let lost = false;
    const release = async () => {
      // Looked at before it is closed: SQLite takes the log away then.
      lost = isLost(files);
      await stopCheckpoints();
      unlock();
    };
    const limits = { retentionMs, maxRooms, roomBytes, roomFrames };
    const closed = () => {
      // A mark beside a file that is another one would vouch for that.
      if (!lost) incarnation.closed();
    };
    const store = new LocalStore(journal, clock, limits, observer);
    return { store, clock, inPlace: () => files.check(), release, closed };
  } catch (error) {
    unlock();
    throw error;
  }
}

function isLost(files: DatabaseFiles): boolean {
  try {
    files.check();
    return false;
  } catch {
    return true;
  }
}
