import { statfs } from 'node:fs/promises';
import type { Store } from '../store/store.ts';

/** Below this the relay is not ready: SQLite needs room for its log, and for the checkpoint that empties it. */
const DISK_FLOOR_BYTES = 64 * 1024 * 1024;

/** Whether the relay can do its work. Answers tell no more than which check failed. */
export class Health {
  readonly #store: Store;
  readonly #onError: (error: unknown) => void;
  draining = false;

  readonly #dataDir: string;

  constructor(store: Store, dataDir: string, onError: (error: unknown) => void) {
    this.#store = store;
    this.#dataDir = dataDir;
    this.#onError = onError;
  }

  async readiness(): Promise<{ ready: boolean; failed: string[] }> {
    const failed: string[] = [];
    if (this.draining) failed.push('draining');
    try {
      await this.#store.check();
    } catch (error) {
      this.#onError(error);
      failed.push('database');
    }
    if ((await freeBytes(this.#dataDir)) < DISK_FLOOR_BYTES) failed.push('disk');
    return { ready: failed.length === 0, failed };
  }
}

/** Bytes free for the relay in a folder; any number where the folder is not used. */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
