import type { FunctionalComponent } from '@stencil/core';
import { h } from '../../vdom';

/** A whisper is seen, a shout does not leave the bar. */
const barHeight = (level: number): number => Math.round(12 + 88 * Math.min(1, Math.sqrt(level) * 1.6));

/** Loudness as it is measured, the newest at the end. */
export const LiveBars: FunctionalComponent<{ levels: readonly number[] }> = ({ levels }) => (
  <span class="live-bars" aria-hidden="true">
    {levels.map((level) => (
      <i style={{ blockSize: `${barHeight(level)}%` }} />
    ))}
  </span>
);
