import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from './pace';

describe('Pace', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('shows the first change at once and what follows once in a while', () => {
    const show = vi.fn();
    const pace = new Pace(show, 100);
    pace.changed(true);
    expect(show).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 5; i++) pace.changed(true);
    expect(show).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100);
    expect(show).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1000);
    expect(show).toHaveBeenCalledTimes(2);
  });

  it('shows the last change at once, and nothing after it', () => {
    const show = vi.fn();
    const pace = new Pace(show, 100);
    pace.changed(true);
    pace.changed(true);
    pace.changed(false);
    expect(show).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1000);
    expect(show).toHaveBeenCalledTimes(2);
  });

  it('shows nothing once it was stopped', () => {
    const show = vi.fn();
    const pace = new Pace(show, 100);
    pace.changed(true);
    pace.changed(true);
    pace.stop();
    vi.advanceTimersByTime(1000);
    expect(show).toHaveBeenCalledTimes(1);
  });
});
