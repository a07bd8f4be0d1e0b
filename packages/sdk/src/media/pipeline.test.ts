import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { inOrder, streamOf, valuesOf } from './pipeline.ts';

/** Lets everything that is due happen. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function* upTo(count: number, taken: number[] = []): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) {
    taken.push(i);
    yield i;
  }
}

/** Work whose ends the test decides. */
function tasks() {
  const ends = new Map<number, { resolve: (value: string) => void; reject: (error: unknown) => void }>();
  const work = (value: number): Promise<string> =>
    new Promise((resolve, reject) => {
      ends.set(value, { resolve, reject });
    });
  return { ends, work };
}

describe('work in order', () => {
  it('goes on at as many values at a time as it may, and no more', async () => {
    const { ends, work } = tasks();
    const taken: number[] = [];
    const results = inOrder(upTo(6, taken), work, 3);
    const first = results.next();
    await turn();
    expect([taken, [...ends.keys()]]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    ends.get(2)?.resolve('c');
    ends.get(1)?.resolve('b');
    await turn();
    // The first is awaited, whichever was done first.
    expect(taken).toHaveLength(3);
    ends.get(0)?.resolve('a');
    expect(await first).toEqual({ done: false, value: 'a' });
    // Nothing is taken ahead of who reads.
    await turn();
    expect(taken).toHaveLength(3);
    expect(await results.next()).toEqual({ done: false, value: 'b' });
    expect(taken).toHaveLength(4);
    expect(await results.next()).toEqual({ done: false, value: 'c' });
    expect(taken).toHaveLength(5);
    for (const value of [3, 4]) ends.get(value)?.resolve(String(value));
    expect(await results.next()).toEqual({ done: false, value: '3' });
    ends.get(5)?.resolve('5');
    expect(await results.next()).toEqual({ done: false, value: '4' });
    expect(await results.next()).toEqual({ done: false, value: '5' });
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });

  it('is eight values at a time unless told', async () => {
    const { ends, work } = tasks();
    const first = inOrder(upTo(100), work).next();
    await turn();
    expect(ends.size).toBe(8);
    ends.get(0)?.resolve('a');
    await first;
  });

  it('reports a failure when its turn comes, and waits for what is under way', async () => {
    const { ends, work } = tasks();
    const results = inOrder(upTo(3), work, 3);
    const first = results.next();
    await turn();
    ends.get(1)?.reject(new Error('second'));
    ends.get(0)?.resolve('a');
    expect(await first).toEqual({ done: false, value: 'a' });
    let failed = false;
    const second = results.next().catch((error: unknown) => {
      failed = true;
      return error;
    });
    await turn();
    expect(failed).toBe(false);
    ends.get(2)?.resolve('c');
    expect(await second).toEqual(new Error('second'));
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });
});

describe('a stream of what a generator yields', () => {
  it('takes a value when one is read, and ends with the generator', async () => {
    const taken: number[] = [];
    const reader = streamOf(() => upTo(2, taken)).getReader();
    await turn();
    expect(taken).toEqual([]);
    expect(await reader.read()).toEqual({ done: false, value: 0 });
    await turn();
    expect(taken).toEqual([0]);
    expect(await reader.read()).toEqual({ done: false, value: 1 });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  it('fails with the generator', async () => {
    const stream = streamOf(async function* fails(): AsyncGenerator<number> {
      yield 1;
      throw new Error('broken');
    });
    const reader = stream.getReader();
    await reader.read();
    await expect(reader.read()).rejects.toThrow('broken');
  });

  it.each([
    ['before it was read', 0],
    ['after', 1],
  ])('tells the generator that it is cancelled, %s', async (_, reads) => {
    const seen: unknown[] = [];
    const stream = streamOf(async function* watches(signal): AsyncGenerator<number> {
      try {
        signal.throwIfAborted();
        yield 1;
        yield 2;
      } finally {
        seen.push(signal.reason);
      }
    });
    const reader = stream.getReader();
    for (let i = 0; i < reads; i++) await reader.read();
    await reader.cancel('enough');
    expect(seen).toEqual(['enough']);
  });
});

describe('the values of a stream', () => {
  /** A stream that gives numbers for ever, or `count` of them and then nothing, and says with what it was cancelled. */
  function source(count = Infinity) {
    const cancelled: unknown[] = [];
    let next = 0;
    const stream = new ReadableStream<number>(
      {
        pull(controller) {
          if (next < count) controller.enqueue(next++);
          else return new Promise(() => {});
        },
        cancel: (reason) => void cancelled.push(reason),
      },
      { highWaterMark: 0 },
    );
    return { stream, cancelled };
  }
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  it('are all of them, in order; then the stream and the signal are let go of', async () => {
    const { signal } = new AbortController();
    const stream = streamOf(() => upTo(3));
    const values: number[] = [];
    for await (const value of valuesOf(stream, signal)) {
      values.push(value);
      expect([stream.locked, listeners(signal)]).toEqual([true, 1]);
    }
    expect(values).toEqual([0, 1, 2]);
    expect([stream.locked, listeners(signal)]).toEqual([false, 0]);
  });

  it('are none of a signal that was aborted before, which cancels the stream', async () => {
    const { stream, cancelled } = source();
    const values = valuesOf(stream, AbortSignal.abort('before'));
    await expect(values.next()).rejects.toBe('before');
    expect([cancelled, stream.locked]).toEqual([['before'], false]);
  });

  it('end when the signal is aborted, also while one is waited for', async () => {
    const { stream, cancelled } = source(1);
    const controller = new AbortController();
    const values = valuesOf(stream, controller.signal);
    expect(await values.next()).toEqual({ done: false, value: 0 });
    const waiting = values.next();
    await turn();
    controller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
    expect([cancelled, stream.locked, listeners(controller.signal)]).toEqual([['enough'], false, 0]);
  });

  it('cancel the stream when their reader leaves early, once', async () => {
    const { stream, cancelled } = source();
    const controller = new AbortController();
    for await (const value of valuesOf(stream, controller.signal)) if (value === 1) break;
    expect([cancelled, stream.locked, listeners(controller.signal)]).toEqual([[undefined], false, 0]);
    controller.abort();
    expect(cancelled).toHaveLength(1);
  });

  it('fail with the stream, which is not cancelled then', async () => {
    const cancelled: unknown[] = [];
    const stream = new ReadableStream<number>({
      pull: () => Promise.reject(new Error('broken')),
      cancel: (reason) => void cancelled.push(reason),
    });
    await expect(valuesOf(stream, new AbortController().signal).next()).rejects.toThrow('broken');
    expect([cancelled, stream.locked]).toEqual([[], false]);
  });
});
