import type { FunctionalComponent } from '@stencil/core';
import { h } from '../vdom';

/** Outlines on a 20 × 20 grid. */
export type IconPaths = readonly string[];

interface IconProps {
  of: IconPaths;
  size?: number;
}

/** A line icon in the colour of its text. It says nothing by itself: the text beside it, or the control's label, does. */
export const Icon: FunctionalComponent<IconProps> = ({ of, size = 20 }) => (
  <svg
    class="icon"
    width={size}
    height={size}
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    {of.map((d) => (
      <path d={d} />
    ))}
  </svg>
);
