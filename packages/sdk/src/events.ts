/** A map from event name to the value its listeners receive. */
export type EventMap = object;

export type Listener<T> = (event: T) => void;

export interface ListenOptions {
  /** Unsubscribes when aborted. */
  signal?: AbortSignal;
}

/** Events that nobody could hear yet are kept up to this number. */
const MAX_UNHEARD = 16;

/** A typed event emitter. A listener that throws does not keep the others from being called: its error surfaces as an uncaught one. */
export class Emitter<M extends EventMap> {
  readonly #listeners = new Map<keyof M, Set<Listener<never>>>();
  readonly #unheard = new Map<keyof M, unknown[]>();

  /** @param keep name of the events that happened before anybody listened and wait for the first who does */
  constructor(keep?: keyof M) {
    if (keep !== undefined) this.#unheard.set(keep, []);
  }

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
    this.#hand(name);
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
    const unheard = this.#unheard.get(name);
    if (unheard) {
      unheard.push(event);
      if (unheard.length > MAX_UNHEARD) unheard.shift();
      return;
    }
    this.#call(name, event);
  }

  /** Drops every listener. What nobody heard yet is still kept. */
  removeAll(): void {
    this.#listeners.clear();
  }

  /** The first listener has come: it hears what happened before, a turn later, when it has its way to unsubscribe. */
  #hand<K extends keyof M>(name: K): void {
    const unheard = this.#unheard.get(name);
    if (!unheard) return;
    queueMicrotask(() => {
      // A listener for one event leaves the others to the next.
      while (unheard.length > 0 && this.#listeners.get(name)?.size) this.#call(name, unheard.shift() as M[K]);
      if (unheard.length === 0) this.#unheard.delete(name);
    });
  }

  #call<K extends keyof M>(name: K, event: M[K]): void {
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
}
