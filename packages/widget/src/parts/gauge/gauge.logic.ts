/** The scale ends at 25 %: what reading every photon in a random basis causes. */
export const SCALE_END = 0.25;

export interface Point {
  x: number;
  y: number;
}

const CENTRE: Point = { x: 120, y: 118 };

/** Angle of an error rate on the half circle, in degrees from the left end. */
export function angleOf(rate: number): number {
  return (Math.min(Math.max(rate, 0), SCALE_END) / SCALE_END) * 180;
}

/** Where an error rate lies at `radius` from the middle of the gauge. */
export function pointAt(rate: number, radius: number): Point {
  const radians = (angleOf(rate) * Math.PI) / 180;
  return { x: CENTRE.x - radius * Math.cos(radians), y: CENTRE.y - radius * Math.sin(radians) };
}

/** Path of the part of the circle between two error rates. */
export function arc(from: number, to: number, radius: number): string {
  const a = pointAt(from, radius);
  const b = pointAt(to, radius);
  return `M${round(a.x)} ${round(a.y)}A${radius} ${radius} 0 0 1 ${round(b.x)} ${round(b.y)}`;
}

export const round = (n: number): number => Math.round(n * 100) / 100;

/** 97.5 % quantile of the standard normal distribution: both sides together leave out 5 %. */
const Z95 = 1.959964;

/**
 * The 95 % confidence band of an error rate measured on `sampled` bits: Wilson's score interval, which stays within 0…1
 * and is honest at rates near 0.
 */
export function band95(rate: number, sampled: number): { low: number; high: number } | undefined {
  if (!(sampled > 0) || !(rate >= 0)) return undefined;
  const z2 = Z95 * Z95;
  const middle = (rate + z2 / (2 * sampled)) / (1 + z2 / sampled);
  const half = (Z95 / (1 + z2 / sampled)) * Math.sqrt((rate * (1 - rate)) / sampled + z2 / (4 * sampled * sampled));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
