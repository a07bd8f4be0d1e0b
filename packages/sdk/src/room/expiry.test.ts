import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Expiry } from './expiry.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

it('calls once for each, when its time is up, in whatever order they were set', () => {
  const gone: string[] = [];
  const expiry = new Expiry((id) => gone.push(id));
  expiry.set('late', 1_000_000 + 60 * 86_400_000);
  expiry.set('soon', 1_000_500);
  expiry.set('sooner', 1_000_100);
  expiry.set('kept', 1_000_200);
  expiry.delete('kept');
  vi.advanceTimersByTime(99);
  expect(gone).toEqual([]);
  vi.advanceTimersByTime(401);
  expect(gone).toEqual(['sooner', 'soon']);
  // Further away than one timer reaches.
  vi.advanceTimersByTime(60 * 86_400_000);
  expect(gone).toEqual(['sooner', 'soon', 'late']);
});

it('calls at once for what was due before it was set', () => {
  const gone: string[] = [];
  const expiry = new Expiry((id) => gone.push(id));
  expiry.set('overdue', 5);
  vi.advanceTimersByTime(0);
  expect(gone).toEqual(['overdue']);
});

it('calls for nothing once closed', () => {
  const gone: string[] = [];
  const expiry = new Expiry((id) => gone.push(id));
  expiry.set('m', 1_000_100);
  expiry.close();
  vi.advanceTimersByTime(1_000);
  expect(gone).toEqual([]);
});
