import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** Relays that share a database say this often, about, that they are alive. */
const BEAT_MS = 1000;
const BEATS_TO_WAIT = 3;

/**
 * The clock of relays that share a database. The first one goes by the clock of the database's machine. Whoever comes later goes by
 * those who are there: the machine's clock may have been set since, and two relays that differ by an hour would take each other for
 * dead, and each other's frames for too old.
 *
 * @param serverTime what the database's machine shows.
 * @param beats the time at which each relay last said that it is alive, by its own clock. Relays that died are among them.
 */
export async function sharedClock(serverTime: number, beats: () => Promise<ReadonlyMap<string, number>>): Promise<Clock> {
  const clock = steadyClock(serverTime);
  const first = await beats();
  const near = (time: number) => Math.abs(time - clock.now()) < BEATS_TO_WAIT * BEAT_MS;
  if ([...first.values()].every(near)) return clock;
  for (const end = performance.now() + BEATS_TO_WAIT * BEAT_MS; performance.now() < end; ) {
    await sleep(BEAT_MS / 4);
    for (const [relay, time] of await beats()) if (time !== first.get(relay)) return near(time) ? clock : steadyClock(time);
  }
  return clock;
}
