import { existsSync } from 'node:fs';
import { Place, StorageLost } from '../../storage-lost.ts';
import type { SqliteDatabase } from './database.ts';

/** A check costs some system calls, a commit hardly more: a busy relay checks as often as this. */
const CHECK_EVERY_MS = 1;

/** The header of a write-ahead log, and of each of its frames (SQLite, "Database File Format", 4.1). */
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * The files of an open database, which SQLite goes on writing though they were deleted, moved or replaced. They are looked at by their names
 * only: to open and close one would give up the locks that SQLite has on it (fcntl(2), "close").
 */
export class DatabaseFiles {
  readonly #db: SqliteDatabase;
  readonly #database: Place;
  readonly #log: Place;
  readonly #others: Place[];
  readonly #doubt: () => void;
  #databaseBytes = 0;
  #logBytes = 0;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #lost: StorageLost | undefined;

  /** @param doubt called when they are found lost: what was acknowledged before may not be there at the next start. */
  constructor(db: SqliteDatabase, doubt: () => void = () => {}) {
    const file = db.raw.name;
    this.#db = db;
    this.#doubt = doubt;
    this.#database = new Place(file, 'DATABASE');
    this.#log = new Place(`${file}-wal`, 'DATABASE');
    this.#others = [`${file}-shm`, `${file}.lock`].filter(existsSync).map((path) => new Place(path, 'DATABASE'));
  }

  /** For every commit: looks unless it did a moment ago. */
  checkOften(): void {
    if (this.#lost || performance.now() - this.#checkedAt >= CHECK_EVERY_MS) this.check();
  }

  /**
   * Files that are back where they were are in order again. One that was cut short is not: what is missing may be written over meanwhile.
   *
   * @throws {StorageLost} when one is not where it was, or shorter than it has to be.
   */
  check(): void {
    if (this.#lost?.code === 'DATABASE_CUT') throw this.#lost;
    try {
      for (const other of this.#others) other.size();
      this.#measure(this.#database.size(), this.#log.size());
      this.#lost = undefined;
    } catch (error) {
      if (error instanceof StorageLost) {
        const first = !this.#lost;
        this.#lost = error;
        if (first) this.#doubt();
      }
      throw error;
    }
    this.#checkedAt = performance.now();
  }

  #measure(databaseBytes: number, logBytes: number): void {
    // Others may make them shorter by right: VACUUM, and a checkpoint that truncates.
    if (databaseBytes < this.#databaseBytes && databaseBytes < this.#neededBytes()) throw new StorageLost('DATABASE_CUT');
    if (logBytes < this.#logBytes && logBytes < this.#neededLogBytes()) throw new StorageLost('DATABASE_CUT');
    this.#databaseBytes = databaseBytes;
    this.#logBytes = logBytes;
  }

  #neededBytes(): number {
    const { raw } = this.#db;
    return Number(raw.pragma('page_count', { simple: true })) * this.#pageBytes;
  }

  #neededLogBytes(): number {
    const [{ log }] = this.#db.raw.pragma('wal_checkpoint(PASSIVE)') as [{ log: number }];
    return log > 0 ? LOG_HEADER_BYTES + log * (FRAME_HEADER_BYTES + this.#pageBytes) : 0;
  }

  get #pageBytes(): number {
    return Number(this.#db.raw.pragma('page_size', { simple: true }));
  }
}
