/** What a finger on the microphone button does. Clicks and keys record `locked`: without being held. */
export type Holding = 'held' | 'locked' | 'released' | 'cancelled';

const CANCEL_PX = 96;
const LOCK_PX = 72;

/** What a finger that moved by `dx` and `dy` pixels means: back along the line of text cancels, up locks. */
export function holdingAt(dx: number, dy: number, rtl: boolean): Holding {
  if ((rtl ? dx : -dx) >= CANCEL_PX) return 'cancelled';
  return -dy >= LOCK_PX ? 'locked' : 'held';
}

/** How far the finger is on its way to cancel (`back`) or to lock (`up`), 0–1: the way it went furthest, the other one is 0. */
export function pullAt(dx: number, dy: number, rtl: boolean): { back: number; up: number } {
  const share = (px: number, most: number) => Math.min(1, Math.max(0, px / most));
  const back = share(rtl ? dx : -dx, CANCEL_PX);
  const up = share(-dy, LOCK_PX);
  return back >= up ? { back, up: 0 } : { back: 0, up };
}
