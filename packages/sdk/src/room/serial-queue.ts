/** Runs asynchronous tasks one after the other, in the order they came: the room's state has one writer at a time. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #bytes = 0;

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
    const result = this.#tail.then(() => {
      this.#bytes -= bytes;
      return task();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
