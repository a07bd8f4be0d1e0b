import { join } from 'node:path';
import { movableClock, recordingObserver } from '../../testing/observer.ts';
import { afterThisTest, temporaryFolder } from '../../testing/relay-fixture.ts';
import { CONTRACT_LIMITS, type Harness, storeContract } from '../contract.ts';
import { migrateSqlite, openSqlite } from '../sqlite/database.ts';
import { DatabaseFiles } from '../sqlite/database-files.ts';
import { SqliteJournal } from '../sqlite/sqlite-journal.ts';
import type { Journal } from './journal.ts';
import { LocalStore } from './local-store.ts';
import { MemoryJournal } from './memory-journal.ts';

function harness(journal: Journal, clock: { now(): number; ahead: number }): Harness {
  const { told, observer } = recordingObserver();
  const store = new LocalStore(journal, clock, CONTRACT_LIMITS, observer);
  afterThisTest(() => store.close());
  const advance = async (ms: number) => {
    clock.ahead += ms;
    await store.sweep();
  };
  return { store, node: 'node', now: () => clock.now(), told, advance };
}

storeContract('memory', { kept: false, shared: false }, async () => harness(new MemoryJournal(), movableClock()));

storeContract('SQLite', { kept: true, shared: false }, async () => {
  const file = join(temporaryFolder(), 'relay.db');
  const clock = movableClock();
  const open = async () => {
    const db = openSqlite({ file, fsync: false });
    afterThisTest(() => db.close());
    await migrateSqlite(db);
    return harness(new SqliteJournal(db, new DatabaseFiles(db), 'wal', clock.now(), CONTRACT_LIMITS.retentionMs), clock);
  };
  return { ...(await open()), reopen: async () => (await open()).store };
});
