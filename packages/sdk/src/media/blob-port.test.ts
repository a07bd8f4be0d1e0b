import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError, type QsecErrorCode } from '../errors.ts';
import type { RelayErrorCode } from '../wire/index.ts';
import { isPassing, pause, verdict } from './blob-port.ts';

describe('a refusal of the relay', () => {
  it.each(['RATE_LIMITED', 'UNAVAILABLE', 'NOT_JOINED'] as const)('for now is one to wait for: %s', (code) => {
    expect(verdict({ code, message: '' })).toEqual({ waitMs: 250 });
    expect(verdict({ code, message: '', retryAfterMs: 70 })).toEqual({ waitMs: 70 });
  });

  it.each<[RelayErrorCode, QsecErrorCode, string]>([
    ['NO_BLOB', 'FILE_GONE', 'does not have this file'],
    ['QUOTA', 'FILE_TOO_LARGE', 'no more space'],
    ['REFUSED', 'RELAY_REFUSED', 'The relay refused: why'],
  ])('for good is an error: %s', (code, told, message) => {
    const refused = verdict({ code, message: 'why' });
    expect(refused).toMatchObject({ error: { code: told, message: expect.stringContaining(message), details: { relay: code } } });
  });
});

it('a connection that failed is worth another try, and nothing else is', () => {
  for (const code of ['RELAY_UNREACHABLE', 'TIMEOUT'] as const) expect(isPassing(new QsecError(code, ''))).toBe(true);
  for (const error of [new QsecError('RELAY_REFUSED', ''), new Error('TIMEOUT'), undefined]) expect(isPassing(error)).toBe(false);
});

describe('a pause', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lasts as long as it is told', async () => {
    const done = vi.fn();
    void pause(100, new AbortController().signal).then(done);
    await vi.advanceTimersByTimeAsync(99);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalledOnce();
  });

  it('ends with its signal, at once or later, and keeps neither timer nor listener', async () => {
    const stop = new AbortController();
    const removed = vi.spyOn(stop.signal, 'removeEventListener');
    const waiting = pause(100, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(vi.getTimerCount()).toBe(0);
    await expect(pause(100, stop.signal)).rejects.toThrow('enough');
    const other = new AbortController();
    const gone = vi.spyOn(other.signal, 'removeEventListener');
    const done = pause(1, other.signal);
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(gone).toHaveBeenCalledOnce();
    expect(removed).not.toHaveBeenCalled();
  });
});
