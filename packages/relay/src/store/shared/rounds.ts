/** Does something again and again, one round at a time: one that takes long delays the next, and nothing else. */
export class Rounds {
  readonly #work: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #last: Promise<void> = Promise.resolve();
  #running = 0;

  constructor(work: () => Promise<void>, everyMs: number, failed: (error: unknown) => void) {
    this.#work = work;
    this.#timer = setInterval(() => {
      if (this.#running === 0) this.run().catch(failed);
    }, everyMs);
    this.#timer.unref();
  }

  /** A whole round, after those under way. */
  run(): Promise<void> {
    this.#running++;
    const round = this.#last.then(this.#work).finally(() => {
      this.#running--;
    });
    this.#last = round.catch(() => {});
    return round;
  }

  /** No further ones; resolves when the last one is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }
}

/**
 * Does something for each, so many at a time. One that fails costs the others nothing; where as many fail as are under way, the rest is left
 * for another time.
 *
 * @throws the first failure, at the end.
 */
export async function each<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  const rest = [...items].values();
  const next = async () => {
    for (const item of rest) {
      await work(item).catch((error: unknown) => failures.push(error));
      if (failures.length >= atOnce) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  if (failures.length > 0) throw failures[0];
}
