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
