import { closeSync, fsyncSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';

/** What is known of the last time a relay wrote the database. */
interface Mark {
  /** The start of the machine it wrote in; null where the system does not tell. */
  boot: string | null;
  /** Everything it acknowledged is on the disk. */
  safe: boolean;
}

/**
 * Knows whether the log may have gone back since a relay last wrote it: the machine lost power while commits did not wait for the disk, or
 * an older copy stands in its place. A file beside the database says in which start of the machine it was written last; whoever puts
 * back a backup leaves that file out.
 *
 * Members who have seen more than there is prove it as well, but only as long as they come before the places they saw are given to others.
 */
export class Incarnation {
  readonly mayHaveGoneBack: boolean;
  readonly #file: string;

  /** @param fsync commits wait for the disk from now on. */
  constructor(database: string, fsync: boolean) {
    this.#file = `${database}.run`;
    const mark = this.#read();
    this.mayHaveGoneBack = !mark || (!mark.safe && mark.boot !== bootId());
    this.#write(fsync);
  }

  /** The database was closed: everything is on the disk. */
  closed(): void {
    this.#write(true);
  }

  /** Whatever opens the database next must not rely on what is in it: something happened to its files. */
  doubt(): void {
    try {
      unlinkSync(this.#file);
    } catch (error) {
      // Where it is gone as well there is nothing to rely on.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  #read(): Mark | undefined {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8'));
    } catch {
      // Missing, or cut off by a loss of power: nothing is known.
      return undefined;
    }
  }

  #write(safe: boolean): void {
    const mark: Mark = { boot: bootId(), safe };
    const descriptor = openSync(this.#file, 'w', 0o600);
    try {
      writeSync(descriptor, JSON.stringify(mark));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Another one after every start of a Linux machine. */
function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}
