import { describe, expect, it } from 'vitest';
import { RekeySchedule } from './rekey-schedule.ts';

const MINUTE = 60_000;

describe('rekeying by itself', () => {
  it('is light after 50 messages', () => {
    const schedule = new RekeySchedule();
    const now = Date.now();
    const due = Array.from({ length: 50 }, () => schedule.message(now));
    expect(due.indexOf('light')).toBe(49);
    schedule.restart('light', now);
    expect(schedule.message(now)).toBeUndefined();
  });

  it('is light after five minutes, and full after thirty, if there is talk', () => {
    const schedule = new RekeySchedule();
    const start = Date.now();
    expect(schedule.message(start + 4 * MINUTE)).toBeUndefined();
    expect(schedule.message(start + 6 * MINUTE)).toBe('light');
    schedule.restart('light', start + 6 * MINUTE);
    expect(schedule.message(start + 31 * MINUTE)).toBe('full');
    schedule.restart('full', start + 31 * MINUTE);
    expect(schedule.message(start + 32 * MINUTE)).toBeUndefined();
  });
});
