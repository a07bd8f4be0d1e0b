import type { FunctionalComponent } from '@stencil/core';
import { h } from '../../vdom';
import { BARS } from './qsec2-voice.logic';

const STRIDE = 3;
const HEIGHT = 28;
const LEAST = 3;

/** Loudness over time; what was played stands out. */
export const Wave: FunctionalComponent<{ bars: readonly number[]; played: number }> = ({ bars, played }) => (
  <svg class="wave" viewBox={`0 0 ${BARS * STRIDE} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
    {bars.map((bar, i) => {
      const height = LEAST + bar * (HEIGHT - LEAST);
      return (
        <rect
          class={{ 'wave-bar': true, played: (i + 0.5) / BARS <= played }}
          x={i * STRIDE}
          y={(HEIGHT - height) / 2}
          width="2"
          height={height}
          rx="1"
        />
      );
    })}
  </svg>
);
