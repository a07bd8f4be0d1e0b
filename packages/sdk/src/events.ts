/** A map from event name to the value its listeners receive. */
export type EventMap = object;

export type Listener<T> = (event: T) => void;

export interface ListenOptions {
  /** Unsubscribes when aborted. */
  signal?: AbortSignal;
}

/** A typed event emitter. A listener that throws does not keep the others from being called: its error surfaces as an uncaught one. */
export class Emitter<M extends EventMap> {
  readonly #listeners = new Map<keyof M, Set<Listener<never>>>();

  /** Calls `listener` for each `name` event. Returns a function that unsubscribes. */
  on<K extends keyof M>(name: K, listener: Listener<M[K]>, { signal }: ListenOptions = {}): () => void {
    if (signal?.aborted) return () => {};
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // A wrapper gives every subscription an identity of its own, so that the same function can be added twice.
    const entry: Listener<M[K]> = (event) => listener(event);
    const off = () => {
      listeners.delete(entry);
      signal?.removeEventListener('abort', off);
    };
    listeners.add(entry);
    signal?.addEventListener('abort', off, { once: true });
    return off;
  }

  /** Resolves with the next `name` event; rejects with the signal's reason when aborted first. */
  once<K extends keyof M>(name: K, { signal }: ListenOptions = {}): Promise<M[K]> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        off();
        reject(signal?.reason);
      };
      const off = this.on(name, (event) => {
        off();
        signal?.removeEventListener('abort', abort);
        resolve(event);
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Calls every listener of `name` in the order they subscribed. */
  emit<K extends keyof M>(name: K, event: M[K]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as Listener<M[K]>)(event);
      } catch (error) {
        // Rethrown outside this call stack: the protocol's state must not depend on what an application's handler does.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Drops every listener. */
  removeAll(): void {
    this.#listeners.clear();
  }
}
