import type { FunctionalComponent } from '@stencil/core';
import { h } from '../vdom';

/** A shield that is filled once a person has verified the other side: shape, not colour alone, tells them apart. */
export const Shield: FunctionalComponent<{ filled: boolean; size?: number }> = ({ filled, size = 16 }) => (
  <svg
    class="icon"
    width={size}
    height={size}
    viewBox="0 0 20 20"
    fill="none"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path
      d="M10 2.2 16.2 4.6v4.7c0 4-2.6 6.9-6.2 8.5-3.6-1.6-6.2-4.5-6.2-8.5V4.6z"
      fill={filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width="1.6"
    />
    {filled && <path class="shield-check" d="m7 10 2.2 2.2L13.2 8" stroke-width="1.8" />}
  </svg>
);
