import type { IconPaths } from './icon';

/** Outlines on a 20 × 20 grid, one export each: what is not shown is not loaded. */
export const close: IconPaths = ['m5 5 10 10', 'M15 5 5 15'];
export const back: IconPaths = ['m12 4.5-5.5 5.5 5.5 5.5'];
export const more: IconPaths = ['M10 4.6v.01', 'M10 10v.01', 'M10 15.4v.01'];
export const copy: IconPaths = ['M7.5 7.5h8v9h-8z', 'M12.5 7.5v-4h-8v9h3'];
export const check: IconPaths = ['m4.5 10.5 3.5 3.5 7.5-8'];
export const ticks: IconPaths = ['m2 10.8 3.2 3.2 6.6-7.4', 'm9.4 13.2.8.8 7-7.4'];
export const clock: IconPaths = ['M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6z', 'M10 6.4V10l2.4 1.6'];
export const share: IconPaths = ['M10 12.5v-9', 'm6.8 6.4 3.2-3 3.2 3', 'M5.5 10H4v6.5h12V10h-1.5'];
export const send: IconPaths = ['M10 16V4.2', 'm5 9 5-5 5 5'];
export const alert: IconPaths = ['M10 3.2 17.6 16.4H2.4z', 'M10 8.2v3.6', 'M10 14v.01'];
export const leave: IconPaths = ['M8 3.5H4.5v13H8', 'M8 10h8.5', 'm13.2 6.6 3.3 3.4-3.3 3.4'];
export const retry: IconPaths = ['M16.2 10a6.2 6.2 0 1 1-1.9-4.5', 'M16.4 3v3.2h-3.2'];
export const arrow: IconPaths = ['M10 4v11.5', 'm5 10.6 5 5 5-5'];
export const plus: IconPaths = ['M10 4.5v11', 'M4.5 10h11'];
export const minus: IconPaths = ['M4.5 10h11'];
export const lock: IconPaths = ['M5 9h10v8H5z', 'M7 9V6.4a3 3 0 0 1 6 0V9'];
export const key: IconPaths = ['M7 13.8a3.2 3.2 0 1 1 2.9-4.6H17v2.6h-2v2h-2.6v-2H9.9A3.2 3.2 0 0 1 7 13.8z'];
export const next: IconPaths = ['m8 4.5 5.5 5.5L8 15.5'];
export const clip: IconPaths = [
  'm15.6 9.4-5.9 5.9a3.6 3.6 0 0 1-5.1-5.1l6.3-6.3a2.4 2.4 0 0 1 3.4 3.4l-6.2 6.2a1.2 1.2 0 0 1-1.7-1.7l5.6-5.6',
];
export const file: IconPaths = ['M11.5 2.8H5.6v14.4h8.8V5.7z', 'M11.5 2.8v2.9h2.9'];
export const download: IconPaths = ['M10 3.5v9', 'm6 9 4 4 4-4', 'M4.5 16.5h11'];
export const mic: IconPaths = [
  'M10 2.8a2.4 2.4 0 0 1 2.4 2.4v4.6a2.4 2.4 0 0 1-4.8 0V5.2A2.4 2.4 0 0 1 10 2.8z',
  'M4.8 9.6a5.2 5.2 0 0 0 10.4 0',
  'M10 14.8v2.6',
];
export const play: IconPaths = ['M7 4.6v10.8L15.4 10z'];
export const pause: IconPaths = ['M7 5v10', 'M13 5v10'];
export const bin: IconPaths = ['M4 5.6h12', 'M8 5.4V3.6h4v1.8', 'm5.6 5.8.7 11h7.4l.7-11', 'M8.4 8.8v5', 'M11.6 8.8v5'];
export const qr: IconPaths = [
  'M4 4h5v5H4z',
  'M11 4h5v5h-5z',
  'M4 11h5v5H4z',
  'M11.5 11.5v1',
  'M15.5 11.5v1',
  'M11.5 15.5v.01',
  'M15.5 15.5v.01',
];
export const people: IconPaths = [
  'M7.5 9.2a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8z',
  'M2.2 16.4a5.3 5.3 0 0 1 10.6 0',
  'M13 3.8a2.7 2.7 0 0 1 0 5.1',
  'M14.6 11.6a5.2 5.2 0 0 1 3.2 4.8',
];
