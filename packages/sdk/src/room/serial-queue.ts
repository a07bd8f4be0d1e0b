import { nextTurn } from './next-turn.ts';

/** How long tasks follow each other before others in the event loop, a page's own work among them, have their turn. */
const TURN_MS = 10;

/** Runs asynchronous tasks one after the other, in the order they came: the room's state has one writer at a time. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();
  /** Tasks that have not ended. */
  #left = 0;
  #bytes = 0;
  /** When the event loop last had its turn, as far as we know. */
  #turnedAt = 0;

  /** What the tasks that wait hold, as they say. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves or rejects as `task` does. A task that fails does not stop the ones behind it.
   * @param bytes what it holds while it waits
   */
  run<T>(task: () => Promise<T> | T, bytes = 0): Promise<T> {
    this.#bytes += bytes;
    if (this.#left++ === 0) this.#turnedAt = Date.now();
    const result = this.#tail.then(async () => {
      // What was opened on this thread never left the promise queue: without this a flood of frames freezes a page.
      if (Date.now() - this.#turnedAt >= TURN_MS) {
        await nextTurn();
        this.#turnedAt = Date.now();
      }
      this.#bytes -= bytes;
      return task();
    });
    const end = () => void this.#left--;
    this.#tail = result.then(end, end);
    return result;
  }
}
