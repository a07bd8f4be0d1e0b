/** Bars of a voice message. */
export const BARS = 64;
export const STEP_SECONDS = 5;
export const SPEEDS = [1, 1.5, 2] as const;

export type Speed = (typeof SPEEDS)[number];

export const nextSpeed = (speed: Speed): Speed => SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length] ?? 1;

/** 64 bars from 0 to 1, for any number of peaks: the loudest of each stretch. */
export function barsOf(peaks: readonly number[]): readonly number[] {
  return Array.from({ length: BARS }, (_, bar) => {
    const from = Math.floor((bar * peaks.length) / BARS);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * peaks.length) / BARS));
    return Math.min(1, Math.max(0, ...peaks.slice(from, to)));
  });
}

/** Where a key leads to, in seconds; undefined for keys that lead nowhere. */
export function seekTo(key: string, at: number, length: number): number | undefined {
  const within = (seconds: number) => Math.min(length, Math.max(0, seconds));
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return within(at + STEP_SECONDS);
    case 'ArrowLeft':
    case 'ArrowDown':
      return within(at - STEP_SECONDS);
    case 'Home':
      return 0;
    case 'End':
      return length;
    default:
      return undefined;
  }
}
