import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from './pace';

describe('Pace', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('shows one picture in a while for as long as there are changes', () => {
    const show = vi.fn();
    const pace = new Pace(show, 100);
    for (let i = 0; i < 5; i++) pace.changed(true);
    expect(show).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(show).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 5; i++) pace.changed(true);
    vi.advanceTimersByTime(100);
    expect(show).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1000);
    expect(show).toHaveBeenCalledTimes(2);
  });

  it('shows the last change at once, and nothing after it', () => {
    const show = vi.fn();
    const pace = new Pace(show, 100);
    pace.changed(true);
    pace.changed(false);
    expect(show).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1000);
    expect(show).toHaveBeenCalledTimes(1);
  });

  it('shows nothing once it was stopped', () => {
    const show = vi.fn();
    const pace = new Pace(show, 100);
    pace.changed(true);
    pace.stop();
    vi.advanceTimersByTime(1000);
    expect(show).not.toHaveBeenCalled();
  });
});
