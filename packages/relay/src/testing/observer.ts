import { steadyClock } from '../clock.ts';
import type { SharedObserver } from '../store/store.ts';

/** Writes down what a store tells, as the contract suite expects it. */
export function recordingObserver(): { told: string[]; observer: SharedObserver } {
  const told: string[] = [];
  const observer: SharedObserver = {
    ended: (room, reason) => told.push(`${reason} ${room}`),
    gone: (_, seat) => told.push(`gone ${seat}`),
    relayDied: (node, rooms) => told.push(`died ${node} ${rooms}`),
    // Of a machine that is busy with other things no test says how soon it beats.
    heartbeatLate: () => {},
    heartbeatBack: () => {},
    failed: (error) => {
      throw error;
    },
  };
  return { told, observer };
}

/** A clock that a test can set ahead. */
export function movableClock() {
  const clock = steadyClock();
  return {
    ahead: 0,
    now() {
      return clock.now() + this.ahead;
    },
  };
}
