import { statfs } from 'node:fs/promises';
import { StorageLost } from '../storage-lost.ts';

/** Below this the relay is not ready: SQLite needs room for its log, and for the checkpoint that empties it. */
const DISK_FLOOR_BYTES = 64 * 1024 * 1024;

/** What can fail: the database, and the folder of the sealed files. */
export type Part = 'database' | 'files';

export interface HealthOptions {
  /** Each rejects, or throws, when nothing can be stored there. */
  checks: Record<Part, () => Promise<void> | void>;
  dataDir: string;
  onError(error: unknown): void;
}

export interface Readiness {
  ready: boolean;
  failed: (Part | 'draining' | 'disk')[];
  /** Why nothing can be stored there. */
  reasons?: Partial<Record<Part, string>>;
}

/** Whether the relay can do its work. Answers tell no more than which check failed, and nothing of rooms or members. */
export class Health {
  readonly #options: HealthOptions;
  draining = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  async readiness(): Promise<Readiness> {
    const { checks, dataDir, onError } = this.#options;
    const failed: Readiness['failed'] = [];
    const reasons: Readiness['reasons'] = {};
    if (this.draining) failed.push('draining');
    for (const [part, check] of Object.entries(checks) as [Part, () => Promise<void> | void][]) {
      try {
        await check();
      } catch (error) {
        onError(error);
        failed.push(part);
        reasons[part] = reasonOf(error);
      }
    }
    if ((await freeBytes(dataDir)) < DISK_FLOOR_BYTES) failed.push('disk');
    return { ready: failed.length === 0, failed, ...(Object.keys(reasons).length > 0 && { reasons }) };
  }
}

/** Other errors may quote what they are about: of those only the code is told. */
function reasonOf(error: unknown): string {
  if (error instanceof StorageLost) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  return `nothing can be written (${code ?? 'the log says more'})`;
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
