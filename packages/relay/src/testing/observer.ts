import { steadyClock } from '../clock.ts';
import type { StoreObserver } from '../store/store.ts';

/** Writes down what a store tells, as the contract suite expects it. */
export function recordingObserver(): { told: string[]; observer: StoreObserver } {
  const told: string[] = [];
  const observer: StoreObserver = {
    ended: (room, reason) => told.push(`${reason} ${room}`),
    gone: (_, seat) => told.push(`gone ${seat}`),
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
