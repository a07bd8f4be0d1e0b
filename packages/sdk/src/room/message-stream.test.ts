import { describe, expect, it } from 'vitest';
import { MessageStream } from './message-stream.ts';

async function read(stream: MessageStream<number>): Promise<number[]> {
  const values: number[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

describe('a stream of messages', () => {
  it('gives what was pushed before and while it is read, up to its end, and nothing pushed later', async () => {
    const stream = new MessageStream<number>();
    stream.push(1);
    const values = read(stream);
    await Promise.resolve();
    stream.push(2);
    stream.push(3);
    stream.end();
    stream.push(4);
    expect(await values).toEqual([1, 2, 3]);
  });

  it('ends a reader that waits', async () => {
    const stream = new MessageStream<number>();
    const values = read(stream);
    await Promise.resolve();
    stream.end();
    expect(await values).toEqual([]);
  });

  it('fails a reader that is more than 1024 messages behind, and holds no more for it', async () => {
    const stream = new MessageStream<number>();
    for (let number = 0; number < 1_024; number++) stream.push(number);
    stream.end();
    expect(await read(stream)).toHaveLength(1_024);
    const slow = new MessageStream<number>();
    for (let number = 0; number < 2_000; number++) slow.push(number);
    // The first reason stays.
    slow.end();
    const values: number[] = [];
    const reading = (async () => {
      for await (const value of slow) values.push(value);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'The reader fell 1024 messages behind; use room.history() to catch up.',
    });
    expect(values).toHaveLength(1_025);
  });
});
