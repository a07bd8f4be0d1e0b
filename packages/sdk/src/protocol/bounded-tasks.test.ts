import { describe, expect, it } from 'vitest';
import { BoundedTasks } from './bounded-tasks.ts';

/** A task that ends when it is told to. */
function task<T>(value: T) {
  const begun: T[] = [];
  let end: (error?: Error) => void = () => undefined;
  const ended = new Promise<T>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve(value));
  });
  const run = () => {
    begun.push(value);
    return ended;
  };
  return { run, end, begun: () => begun.length > 0 };
}

describe('bounded tasks', () => {
  it('run so many at a time, the others in the order they came, also after one that failed', async () => {
    const bounded = new BoundedTasks(2);
    const tasks = [0, 1, 2, 3, 4].map(task);
    const results = tasks.map(({ run }) => bounded.run(run));
    const begun = () => tasks.map((each) => each.begun());
    expect(begun()).toEqual([true, true, false, false, false]);
    tasks[1]?.end(new Error('of task 1'));
    await expect(results[1]).rejects.toThrow('of task 1');
    await expect.poll(begun).toEqual([true, true, true, false, false]);
    for (const each of tasks) each.end();
    expect((await Promise.allSettled(results)).map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
    const later = task(5);
    later.end();
    expect(await bounded.run(later.run)).toBe(5);
  });
});
