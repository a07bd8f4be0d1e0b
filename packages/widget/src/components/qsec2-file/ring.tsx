import type { FunctionalComponent } from '@stencil/core';
import { h } from '../../vdom';

const RADIUS = 19;
const AROUND = 2 * Math.PI * RADIUS;

/** How much of a file is there, as a ring around its button. The line beside it says the same in words. */
export const Ring: FunctionalComponent<{ share: number }> = ({ share }) => (
  <svg class="ring" viewBox="0 0 44 44" aria-hidden="true">
    <circle class="ring-ground" cx="22" cy="22" r={RADIUS} />
    <circle class="ring-done" cx="22" cy="22" r={RADIUS} stroke-dasharray={`${share * AROUND} ${AROUND}`} />
  </svg>
);
