import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { linked } from './signals.ts';

it('a linked signal is aborted with the first of several, for its reason, and lets go of all of them', () => {
  const [one, two] = [new AbortController(), new AbortController()];
  const listeners = () => [one, two].map(({ signal }) => getEventListeners(signal, 'abort').length);
  const { signal } = linked(one.signal, undefined, two.signal);
  expect([signal.aborted, listeners()]).toEqual([false, [1, 1]]);
  two.abort('second');
  expect([signal.aborted, signal.reason]).toEqual([true, 'second']);
  expect(listeners()).toEqual([0, 0]);
  one.abort('first');
  expect(signal.reason).toBe('second');
});

it('a linked signal is aborted from the start when one of its own is', () => {
  const { signal } = linked(new AbortController().signal, AbortSignal.abort('before'));
  expect([signal.aborted, signal.reason]).toEqual([true, 'before']);
});

it('a signal that was let go of changes nothing', () => {
  const one = new AbortController();
  const { signal, unlink } = linked(one.signal);
  unlink();
  expect(getEventListeners(one.signal, 'abort')).toEqual([]);
  one.abort();
  expect(signal.aborted).toBe(false);
});
