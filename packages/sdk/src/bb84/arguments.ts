import { QsecError } from '../errors.ts';

/*
 * Checks of what a caller hands to the engine. Each names the argument and its range, and returns the value. Both words and range are
 * what a message is made of, so they are written once.
 */

/** What a value is, in words. Bytes may be a key: they are told by their number only. */
function told(value: unknown): string {
  if (value instanceof Uint8Array) return `length=${value.length}`;
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** The error of an argument that is not what it has to be. */
export function invalid(argument: string, expected: string, got: unknown): QsecError {
  return new QsecError('INVALID_ARGUMENT', `"${argument}" expected ${expected}, got ${told(got)}`, {
    details: { argument, expected },
  });
}

const range = (min: number, max: number): string =>
  max >= Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;

/** A finite number in [min, max]. */
export function finite(argument: string, value: number, min: number, max: number = Number.MAX_VALUE): number {
  if (!(typeof value === 'number' && value >= min && value <= max))
    throw invalid(argument, `a ${max === Number.MAX_VALUE ? 'finite number' : 'number'} ${range(min, max)}`, value);
  return value;
}

/** A number strictly between the limits. */
export function between(argument: string, value: number, min: number, max: number): number {
  if (!(typeof value === 'number' && value > min && value < max))
    throw invalid(argument, `a number between ${min} and ${max}`, value);
  return value;
}

/** An integer in [min, max]. */
export function integer(argument: string, value: number, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < min || value > max) throw invalid(argument, `an integer ${range(min, max)}`, value);
  return value;
}

/** The seed of a simulation: any safe integer, or none. */
export function seedOf(seed: number | undefined): number | undefined {
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw invalid('seed', 'an integer', seed);
  return seed;
}

/** Bytes, exactly `length` of them where that is given. */
export function bytes<T extends Uint8Array>(argument: string, value: T, length?: number): T {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length))
    throw invalid(argument, length === undefined ? 'a Uint8Array' : `a Uint8Array of length ${length}`, value);
  return value;
}

/** One of a few words. */
export function word<const T extends string>(argument: string, value: T, words: readonly T[]): T {
  if (!words.includes(value)) throw invalid(argument, `one of ${words.map((one) => `'${one}'`).join(', ')}`, value);
  return value;
}

/** An object, whose members are checked one by one. */
export function object<T extends object>(argument: string, value: T): T {
  if (typeof value !== 'object' || value === null) throw invalid(argument, 'an object', value);
  return value;
}

/** An object with the methods named. */
export function withMethods<T extends object>(argument: string, value: T, expected: string, ...methods: (keyof T)[]): T {
  const has = typeof value === 'object' && value !== null && methods.every((name) => typeof value[name] === 'function');
  if (!has) throw invalid(argument, expected, value);
  return value;
}

/** An array. */
export function array<T extends readonly unknown[]>(argument: string, value: T, expected: string, length?: number): T {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw invalid(argument, expected, value);
  return value;
}

/** A function, or nothing. */
export function optionalFunction<T>(argument: string, value: T): T {
  if (value !== undefined && typeof value !== 'function') throw invalid(argument, 'a function', value);
  return value;
}

/** Refuses an event that never happens, and a listener that cannot be called. */
export function listening(name: PropertyKey, listener: unknown, names: readonly string[]): void {
  word('name', name as string, names);
  if (typeof listener !== 'function') throw invalid('listener', 'a function', listener);
}
