import type { Store } from '../store/store.ts';

/** Whether the relay can do its work. Answers tell no more than which check failed. */
export class Health {
  readonly #store: Store;
  readonly #onError: (error: unknown) => void;
  draining = false;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
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
    return { ready: failed.length === 0, failed };
  }
}
