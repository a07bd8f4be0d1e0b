import type { Clock } from './clock.ts';
import { type RelaySettings, SettingError } from './config/settings.ts';
import { EventLog } from './events/event-log.ts';
import { LocalStore } from './store/local/local-store.ts';
import { MemoryJournal } from './store/local/memory-journal.ts';
import { migrateSqlite, openSqlite, sqliteFile } from './store/sqlite/database.ts';
import { SqliteJournal } from './store/sqlite/sqlite-journal.ts';
import type { Store, StoreObserver } from './store/store.ts';

export interface Storage {
  store: Store;
  eventLog: EventLog;
  close(): Promise<void>;
}

/** Opens what the settings name and brings its schema up to date. */
export async function openStorage(settings: RelaySettings, clock: Clock, observer: StoreObserver): Promise<Storage> {
  const { databaseUrl, durability, retentionMs, maxRooms, roomBytes, roomFrames } = settings;
  if (!databaseUrl.startsWith('sqlite:')) throw new SettingError('RELAY_DATABASE_URL', 'sqlite:<file>');
  const db = openSqlite({ file: sqliteFile(databaseUrl), fsync: durability === 'fsync' });
  await migrateSqlite(db);
  const journal = durability === 'memory' ? new MemoryJournal() : new SqliteJournal(db, durability, clock.now(), retentionMs);
  const store = new LocalStore(journal, clock, { retentionMs, maxRooms, roomBytes, roomFrames }, observer);
  return {
    store,
    eventLog: new EventLog(db.queries),
    async close() {
      await store.close();
      await db.close();
    },
  };
}
