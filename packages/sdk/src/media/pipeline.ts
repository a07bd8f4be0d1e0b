/** Chunks that may be worked on at the same time: enough to keep WebCrypto's threads busy, and half a MiB at most. */
const AHEAD = 8;

/**
 * Runs `work` on the values of `source`, several at a time, and yields the results in order. Takes no value more than it needs:
 * a reader that waits makes the source wait.
 */
export async function* inOrder<T, R>(source: AsyncIterable<T>, work: (value: T) => Promise<R>, ahead = AHEAD): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const value of source) {
      const result = work(value);
      // A failure is reported when its turn comes; until then it is nobody's.
      result.catch(() => undefined);
      pending.push(result);
      if (pending.length >= ahead) yield await (pending.shift() as Promise<R>);
    }
    while (pending.length > 0) yield await (pending.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(pending);
  }
}

/**
 * A web stream of what a generator yields, made one value at a time as it is read. Cancelling the stream aborts the signal, so that
 * a generator that waits for something stops waiting.
 */
export function streamOf<T>(make: (signal: AbortSignal) => AsyncGenerator<T>): ReadableStream<T> {
  const cancelled = new AbortController();
  const generator = make(cancelled.signal);
  let begun = false;
  return new ReadableStream<T>(
    {
      async pull(controller) {
        begun = true;
        const { done, value } = await generator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        cancelled.abort(reason);
        // One that has not begun has yet to learn that its own source is not wanted any more; that it fails then is what it is for.
        if (!begun) await generator.next().catch(() => undefined);
        await generator.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * The values of a web stream; not every browser can iterate one by itself. A loop that is left early, and an aborted signal, cancel
 * the stream; the signal also ends the loop, with its reason.
 */
export async function* valuesOf<T>(stream: ReadableStream<T>, signal: AbortSignal): AsyncGenerator<T> {
  const reader = stream.getReader();
  let ended = false;
  const stop = () => {
    ended = true;
    // What the source says to being cancelled changes nothing for who cancelled.
    reader.cancel(signal.reason).catch(() => undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) {
        ended = true;
        return;
      }
      yield value;
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    if (!ended) await reader.cancel();
    reader.releaseLock();
  }
}
