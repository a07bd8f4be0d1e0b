import { QsecError } from '../../errors.ts';

/** Throws `INVALID_ARGUMENT` unless `value` is a number in [low, high]. */
export function requireRange(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) {
    throw new QsecError('INVALID_ARGUMENT', `"${name}" expected a number from ${low} to ${high}, got ${value}`, {
      details: { name, value, low, high },
    });
  }
}

/** Throws `INVALID_ARGUMENT` unless `plane` holds exactly one bit for each of `count` pulses. */
export function requirePlane(name: string, plane: Uint8Array, count: number): void {
  const expected = Math.ceil(count / 8);
  if (plane.length !== expected) {
    throw new QsecError('INVALID_ARGUMENT', `"${name}" expected ${expected} bytes for ${count} pulses, got ${plane.length}`, {
      details: { name, expected, got: plane.length },
    });
  }
}

/** A fraction as a percentage with no needless digits: 0.015 → `1.5 %`. */
export const percent = (fraction: number): string => `${Number((fraction * 100).toPrecision(4))} %`;
