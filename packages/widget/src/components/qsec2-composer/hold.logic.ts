/** What a finger on the microphone button does. Clicks and keys record `locked`: without being held. */
export type Holding = 'held' | 'locked' | 'released' | 'cancelled';

const CANCEL_PX = 96;
const LOCK_PX = 72;

/** What a finger that moved by `dx` and `dy` pixels means: back along the line of text cancels, up locks. */
export function holdingAt(dx: number, dy: number, rtl: boolean): Holding {
  if ((rtl ? dx : -dx) >= CANCEL_PX) return 'cancelled';
  return -dy >= LOCK_PX ? 'locked' : 'held';
}
