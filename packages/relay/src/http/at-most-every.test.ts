import { expect, it, vi } from 'vitest';
import { atMostEvery } from './at-most-every.ts';

it('a question is asked once in a while, also while its answer is on its way, and a failure is an answer', async () => {
  let time = 0;
  const ask = vi.fn(async () => {
    if (time >= 2000) throw new Error('no answer');
    return time;
  });
  const asked = atMostEvery(1000, ask, () => time);
  expect(await Promise.all([asked(), asked()])).toEqual([0, 0]);
  time = 999;
  expect(await asked()).toBe(0);
  time = 1000;
  expect(await asked()).toBe(1000);
  time = 2000;
  await expect(asked()).rejects.toThrow('no answer');
  await expect(asked()).rejects.toThrow('no answer');
  expect(ask).toHaveBeenCalledTimes(3);
});
