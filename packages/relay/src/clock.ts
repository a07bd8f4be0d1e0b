import { performance } from 'node:perf_hooks';

/** Milliseconds since 1970. */
export interface Clock {
  now(): number;
}

/**
 * A clock that follows the wall clock at the start and monotonic time from then on: setting the machine's clock neither expires
 * a mailbox nor keeps one for ever, and times in a room never run backwards.
 *
 * @param startAt what it shows now; the wall clock's time unless given.
 */
export function steadyClock(startAt = Date.now()): Clock {
  const origin = startAt - performance.now();
  return { now: () => Math.floor(origin + performance.now()) };
}
