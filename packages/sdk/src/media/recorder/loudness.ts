/** How loud a recording is over time. */

/** Readings a second. */
export const READINGS_PER_SECOND = 20;
/** Bars of a voice message. */
export const PEAKS = 64;
/** What counts as loud when nothing is louder: silence stays flat. */
const QUIET = 0.02;

/** Root of the mean square of samples from -1 to 1: 0–1. */
export function rootMeanSquare(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.min(1, Math.sqrt(sum / samples.length));
}

/** `count` bars from 0 to 1 for any number of readings: the loudest of each stretch, in relation to the loudest of all. */
export function peaksOf(readings: readonly number[], count = PEAKS): number[] {
  const loudest = Math.max(QUIET, ...chunked(readings).map((part) => Math.max(...part)));
  return Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * readings.length) / count);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * readings.length) / count));
    return Math.max(0, ...readings.slice(from, to)) / loudest;
  });
}

/** Function calls take a limited number of arguments. */
function chunked(values: readonly number[]): (readonly number[])[] {
  const parts: (readonly number[])[] = [];
  for (let i = 0; i < values.length; i += 1024) parts.push(values.slice(i, i + 1024));
  return parts;
}
