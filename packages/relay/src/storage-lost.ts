import { statSync } from 'node:fs';

/** What can be wrong with the place where something is stored. The words stand in the log and in answers: nothing of a client is in them. */
const WORDS = {
  DATABASE_GONE: 'a file of the database was deleted or moved',
  DATABASE_REPLACED: 'another file stands in the place of one of the database',
  DATABASE_CUT: 'a file of the database was cut short',
  FILES_GONE: 'the folder of the sealed files was deleted or moved',
  FILES_REPLACED: 'another folder stands in the place of that of the sealed files',
  FILES_READ_ONLY: 'nothing can be written to the folder of the sealed files',
} as const;

/**
 * What the relay opened is no longer where it would be looked for at the next start: whatever is stored now is lost then. Writing goes on
 * without an error, because an open file outlives its name.
 */
export class StorageLost extends Error {
  readonly code: keyof typeof WORDS;

  constructor(code: keyof typeof WORDS, options?: ErrorOptions) {
    super(WORDS[code], options);
    this.name = 'StorageLost';
    this.code = code;
  }
}

/** The file or folder that a path led to when this was made. */
export class Place {
  readonly #path: string;
  readonly #what: 'DATABASE' | 'FILES';
  readonly #dev: number;
  readonly #ino: number;

  constructor(path: string, what: 'DATABASE' | 'FILES') {
    this.#path = path;
    this.#what = what;
    const { dev, ino } = statSync(path);
    this.#dev = dev;
    this.#ino = ino;
  }

  /**
   * @returns its size in bytes.
   * @throws {StorageLost} when the path leads nowhere now, or to another one.
   */
  size(): number {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (!now) throw new StorageLost(`${this.#what}_GONE`);
    if (now.ino !== this.#ino || now.dev !== this.#dev) throw new StorageLost(`${this.#what}_REPLACED`);
    return now.size;
  }
}
