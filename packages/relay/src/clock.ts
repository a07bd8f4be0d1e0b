import { performance } from 'node:perf_hooks';

/** Milliseconds since 1970. */
export interface Clock {
  now(): number;
}

/**
 * A clock that follows the wall clock at the start and monotonic time from then on: setting the machine's clock neither expires
 * a mailbox nor keeps one for ever, and times in a room never run backwards.
 *
 * @param startAt no earlier than this: the last time a previous process recorded.
 */
export function steadyClock(startAt = 0): Clock {
  const origin = Math.max(Date.now(), startAt) - performance.now();
  return { now: () => Math.floor(origin + performance.now()) };
}
