import type { OptionValues } from './command.ts';

/** A command line that makes no sense: its message says which option and what would do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The text of an option, or undefined. */
export function text(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

export const flag = (values: OptionValues, name: string): boolean => values[name] === true;

function parse(name: string, written: string, unit: number): number {
  const trimmed = written.trim();
  const percent = trimmed.endsWith('%');
  const digits = percent ? trimmed.slice(0, -1).trim() : trimmed;
  const value = digits === '' ? Number.NaN : Number(digits);
  if (!Number.isFinite(value)) throw new UsageError(`--${name} expects a number, got ${JSON.stringify(written)}`);
  if (percent && unit !== 1) throw new UsageError(`--${name} expects a count, got ${JSON.stringify(written)}`);
  return percent ? value / 100 : value;
}

function within(name: string, value: number, low: number, high: number): number {
  if (value < low || value > high) throw new UsageError(`--${name} expects a number from ${low} to ${high}, got ${value}`);
  return value;
}

export interface Range {
  low?: number;
  high?: number;
}

/** A number or percentage: `0.015`, `1.5%`, `1e-6`. */
export function number(values: OptionValues, name: string, { low = -Infinity, high = Infinity }: Range = {}): number | undefined {
  const written = text(values, name);
  return written === undefined ? undefined : within(name, parse(name, written, 1), low, high);
}

/** A whole number: `32768`, `1e6`, `2^20`. */
export function count(
  values: OptionValues,
  name: string,
  { low = 1, high = Number.MAX_SAFE_INTEGER }: Range = {},
): number | undefined {
  const written = text(values, name);
  return written === undefined ? undefined : wholeNumber(name, written, low, high);
}

function wholeNumber(name: string, written: string, low: number, high: number): number {
  const power = /^\s*2\^(\d{1,2})\s*$/.exec(written);
  const value = power ? 2 ** Number(power[1]) : parse(name, written, 0);
  if (!Number.isInteger(value)) throw new UsageError(`--${name} expects a whole number, got ${JSON.stringify(written)}`);
  return within(name, value, low, high);
}

/** Numbers separated by commas. */
export function numbers(
  values: OptionValues,
  name: string,
  { low = -Infinity, high = Infinity }: Range = {},
): number[] | undefined {
  return text(values, name)
    ?.split(',')
    .map((written) => within(name, parse(name, written, 1), low, high));
}

/** Whole numbers separated by commas. */
export function counts(
  values: OptionValues,
  name: string,
  { low = 1, high = Number.MAX_SAFE_INTEGER }: Range = {},
): number[] | undefined {
  return text(values, name)
    ?.split(',')
    .map((written) => wholeNumber(name, written, low, high));
}

/** One of a few words. */
export function choice<const T extends string>(values: OptionValues, name: string, words: readonly T[]): T | undefined {
  const written = text(values, name);
  if (written === undefined) return undefined;
  const word = words.find((candidate) => candidate === written);
  if (word === undefined) throw new UsageError(`--${name} expects one of ${words.join(', ')}, got ${JSON.stringify(written)}`);
  return word;
}

/** The option of that name, or nothing at all: for building option objects whose properties may be absent but not undefined. */
export function given<K extends string, const T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}
