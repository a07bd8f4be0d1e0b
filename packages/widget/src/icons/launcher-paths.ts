import type { IconPaths } from './icon';

/** The two outlines that load with the launcher. */
export const chat: IconPaths = [
  'M4.2 3.5h11.6a1.7 1.7 0 0 1 1.7 1.7v7.1a1.7 1.7 0 0 1-1.7 1.7H9.4L5.6 17v-3H4.2a1.7 1.7 0 0 1-1.7-1.7V5.2a1.7 1.7 0 0 1 1.7-1.7z',
];
export const down: IconPaths = ['m5 7.5 5 5 5-5'];
