import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whenSettled } from '../src/store/settled';
import { EMPTY_VIEW, type View } from '../src/store/view';

function fakeSession() {
  const listeners = new Set<() => void>();
  const session = {
    view: EMPTY_VIEW as View,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const become = (phase: View['phase']) => {
    session.view = { ...session.view, phase };
    for (const listener of [...listeners]) listener();
  };
  return { session, become, listeners };
}

describe('what waits until a session is settled', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(['secure', 'aborted', 'failed', 'waiting'] as const)('goes on when it is %s', async (phase) => {
    const { session, become, listeners } = fakeSession();
    const settled = vi.fn();
    const waiting = whenSettled(session, 250).then(settled);
    become('connecting');
    become('agreeing');
    await Promise.resolve();
    expect(settled).not.toHaveBeenCalled();
    become(phase);
    await waiting;
    expect(listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits no longer than it is told to', async () => {
    const { session, become, listeners } = fakeSession();
    const waiting = whenSettled(session, 250);
    become('connecting');
    vi.advanceTimersByTime(250);
    await waiting;
    expect(listeners.size).toBe(0);
  });
});
