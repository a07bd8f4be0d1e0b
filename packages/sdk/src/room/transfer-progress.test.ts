import { expect, it } from 'vitest';
import { TransferProgress } from './transfer-progress.ts';
import type { FileProgress } from './types.ts';

it('a transfer that is over tells nothing more, whatever is still acknowledged', () => {
  const told: FileProgress[] = [];
  const progress = new TransferProgress({ direction: 'send', name: 'a' }, 1_000_000, (one) => told.push(one));
  progress.chunks(2);
  progress.end('cancelled');
  progress.chunks(8);
  expect(told.map(({ state, done }) => [state, done])).toEqual([
    ['running', 0],
    ['running', 131_072],
    ['cancelled', 131_072],
  ]);
});

const followed = (total: number | undefined) => {
  const told: FileProgress[] = [];
  const progress = new TransferProgress({ direction: 'send', name: 'a' }, total, (one) => told.push(one));
  return { progress, told, done: () => told.map(({ done }) => done) };
};

it('a transfer is told of in 200 steps, and each chunk of a small one', () => {
  const small = followed(200_000);
  for (let count = 1; count <= 4; count++) small.progress.chunks(count);
  expect(small.done()).toEqual([0, 65_536, 131_072, 196_608]);
  small.progress.end('done');
  expect(small.told.at(-1)).toMatchObject({ done: 200_000, total: 200_000, state: 'done', direction: 'send', name: 'a' });
  const large = followed(800 * 65_536);
  for (let count = 1; count <= 800; count++) large.progress.chunks(count);
  expect(large.told).toHaveLength(201);
  expect(large.done().slice(0, 3)).toEqual([0, 4 * 65_536, 8 * 65_536]);
});

it('a transfer of unknown length is told of with what is done, to its end', () => {
  const { progress, told, done } = followed(undefined);
  progress.chunks(1);
  progress.chunks(2);
  progress.end('done');
  expect([done(), told.at(-1)?.total]).toEqual([[0, 65_536, 131_072, 131_072], undefined]);
});

it('transfers are told apart by a name of their own', () => {
  const [one, other] = [followed(5), followed(5)];
  expect(one.told[0]?.transfer).toMatch(/^[0-9a-f]{16}$/);
  expect(one.told[0]?.transfer).not.toBe(other.told[0]?.transfer);
});
