import type { Logger } from 'pino';
import { StorageLost } from './storage-lost.ts';

const LOOK_EVERY_MS = 1000;

/** Looks whether what the relay stores in is in place, also while nobody writes, and says so once when it is not, and once when it is again. */
export class StorageWatch {
  readonly #checks: Readonly<Record<string, () => void>>;
  readonly #log: Logger;
  readonly #lost = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;

  /** @param checks by what they are about; each throws {@link StorageLost}. */
  constructor(checks: Readonly<Record<string, () => void>>, log: Logger) {
    this.#checks = checks;
    this.#log = log;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  look(): void {
    for (const [part, check] of Object.entries(this.#checks)) {
      const reason = reasonOf(check);
      if (reason === this.#lost.get(part)) continue;
      if (reason === undefined) {
        this.#lost.delete(part);
        this.#log.info({ part }, 'back in place: the relay stores again');
      } else {
        this.#lost.set(part, reason);
        this.#log.error({ part, reason }, 'not ready: nothing is stored and nothing acknowledged');
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** In words that hold nothing of a client, or of a path. */
function reasonOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof StorageLost) return error.message;
    return `it cannot be looked at (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`;
  }
}
