import { Worker } from 'node:worker_threads';
import type { SqliteDatabase } from './database.ts';
import { driverPath } from './driver.ts';

const CHECKPOINT_EVERY_MS = 200;
/** Enough to make way, and not so much that a busy relay leaves the thread no time. */
const NICENESS = 5;
/** Pages of the write-ahead log from which on it is emptied: 32 MiB. */
const EMPTY_FROM_PAGES = 4096;

/**
 * A connection of its own, in a thread of its own, moves what was committed from the write-ahead log into the database. Done
 * where the relay commits, as SQLite does by itself, it would stop everyone for milliseconds.
 */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const os = require('node:os');
// Linux keeps a priority for each thread: where there is one processor, frames go before checkpoints.
if (process.platform === 'linux') os.setPriority(workerData.niceness);
const Database = require(workerData.driver);
const db = new Database(workerData.file, { fileMustExist: true });
db.pragma('synchronous = ' + workerData.synchronous);
db.pragma('busy_timeout = 0');
const timer = setInterval(() => {
  try {
    parentPort.postMessage(db.pragma('wal_checkpoint(PASSIVE)')[0]);
  } catch (error) {
    if (error.code !== 'SQLITE_BUSY') parentPort.postMessage({ failed: error.code });
  }
}, workerData.every);
parentPort.once('message', () => {
  clearInterval(timer);
  db.close();
  parentPort.close();
});
`;

interface Checkpointed {
  /** Pages in the write-ahead log, and how many of them are in the database by now. */
  log?: number;
  checkpointed?: number;
  failed?: string;
}

/** Starts the thread. @returns what ends it. */
export function startCheckpointer(
  db: SqliteDatabase,
  file: string,
  fsync: boolean,
  failed: (error: unknown) => void,
): () => Promise<void> {
  db.raw.pragma('wal_autocheckpoint = 0');
  const workerData = {
    driver: driverPath(),
    file,
    synchronous: fsync ? 'FULL' : 'NORMAL',
    every: CHECKPOINT_EVERY_MS,
    niceness: NICENESS,
  };
  const worker = new Worker(WORKER, { eval: true, workerData });
  // It may end before it is asked to, when its files are gone before it has opened them.
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  worker.on('error', ({ code, name }: Error & { code?: string }) => {
    failed(Object.assign(new Error('checkpoints failed'), { code: code ?? name }));
    // Slower, but the log does not grow for ever.
    db.raw.pragma('wal_autocheckpoint = 1000');
  });
  worker.on('message', ({ log = 0, failed: code }: Checkpointed) => {
    if (code !== undefined) failed(Object.assign(new Error('checkpoint failed'), { code }));
    // The log starts again at its beginning only when nothing is left in it: the little that came since is moved here.
    if (log > EMPTY_FROM_PAGES && db.raw.open) db.raw.pragma('wal_checkpoint(RESTART)');
  });
  // After the listeners: they would keep the process alive again.
  worker.unref();
  return async () => {
    // Closed in good order, so that the connection that is closed last puts the whole log into the database and removes it.
    worker.ref();
    worker.postMessage('close');
    await ended;
  };
}
