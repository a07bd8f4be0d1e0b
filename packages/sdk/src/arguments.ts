import { QsecError } from './errors.ts';

/** What an application hands over is checked where it comes in: an error names the argument, what it expected, and what was probably meant. */

/** A kind of value: its name in an error, and whether something is one. */
export interface Kind {
  readonly expected: string;
  accepts(value: unknown): boolean;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

export const TEXT: Kind = { expected: 'a string', accepts: (value) => typeof value === 'string' };
export const CALLBACK: Kind = { expected: 'a function', accepts: (value) => typeof value === 'function' };
export const BYTES: Kind = { expected: 'a Blob or Uint8Array', accepts: (v) => v instanceof Blob || v instanceof Uint8Array };
/** Known by its shape: pages bring their own, other realms too. */
export const SIGNAL: Kind = {
  expected: 'an AbortSignal',
  accepts: (value) => isObject(value) && typeof value.aborted === 'boolean' && typeof value.addEventListener === 'function',
};

export const numberWhere = (expected: string, accepts: (value: number) => boolean): Kind => ({
  expected,
  accepts: (value) => typeof value === 'number' && accepts(value),
});

export const wholeNumber = (from: number, to: number): Kind =>
  numberWhere(`a whole number from ${from} to ${to}`, (value) => Number.isInteger(value) && value >= from && value <= to);

export const oneOf = (...values: readonly string[]): Kind => {
  const quoted = values.map((value) => `'${value}'`);
  return {
    expected: quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}` : String(quoted[0]),
    accepts: (value) => values.includes(value as string),
  };
};

export const either = (one: Kind, other: Kind): Kind => ({
  expected: `${one.expected} or ${other.expected}`,
  accepts: (value) => one.accepts(value) || other.accepts(value),
});

/** An object that has these functions. */
export const objectWith = (expected: string, ...functions: readonly string[]): Kind => ({
  expected,
  accepts: (value) => isObject(value) && functions.every((name) => typeof value[name] === 'function'),
});

/** The kind of every option there is. Naming each makes TypeScript tell when one is added. */
export type Kinds<T extends object> = Readonly<Record<keyof Required<T>, Kind>>;

/**
 * Checks an object of options. An option that is `undefined` is one that was not given.
 *
 * @param name what the argument is called
 * @throws {QsecError} `INVALID_ARGUMENT`
 */
export function checkOptions<T extends object>(
  name: string,
  given: T,
  kinds: Kinds<T>,
  required: readonly (keyof T)[] = [],
): void {
  const path = (key: string) => (name === 'options' ? key : `${name}.${key}`);
  if (!isObject(given) || Array.isArray(given)) throw invalid(name, 'an object of options', given);
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(kinds, key)) throw unknownName(`${shown(path(key))} is no option here.`, key, Object.keys(kinds));
  }
  for (const [key, kind] of Object.entries<Kind>(kinds)) {
    const value = given[key];
    const absent = value === undefined && !required.includes(key as keyof T);
    if (!absent) check(path(key), value, kind);
  }
}

/** @throws {QsecError} `INVALID_ARGUMENT` */
export function check(name: string, value: unknown, kind: Kind): void {
  if (!kind.accepts(value)) throw invalid(name, kind.expected, value);
}

/** @throws {QsecError} `INVALID_ARGUMENT` unless `name` is one of `names` */
export function checkEvent(name: unknown, names: readonly string[]): void {
  if (names.includes(name as string)) return;
  throw unknownName(`${shown(name)} is no event here.`, String(name), names);
}

export function invalid(argument: string, expected: string, got: unknown): QsecError {
  return new QsecError('INVALID_ARGUMENT', `"${argument}" expected ${expected}, got ${shown(got)}`, { details: { argument } });
}

function unknownName(problem: string, name: string, names: readonly string[]): QsecError {
  const meant = closest(name, names);
  const hint = meant === undefined ? `There are ${names.join(', ')}.` : `Did you mean "${meant}"?`;
  return new QsecError('INVALID_ARGUMENT', `${problem} ${hint}`, { details: { argument: name, ...(meant && { meant }) } });
}

const MAX_SHOWN = 60;

/** A value in a message: short ones as they are, others by what they are. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value}"`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  return isObject(value) ? 'an object' : String(value);
}

/** The name that somebody who wrote `name` meant: at most a third of it is different. */
function closest(name: string, names: readonly string[]): string | undefined {
  if (name.length > MAX_SHOWN) return undefined;
  const lower = name.toLowerCase();
  const [best] = names
    .map((meant) => ({ meant, distance: distance(lower, meant.toLowerCase()) }))
    .filter(({ meant, distance }) => distance <= Math.max(1, Math.floor(Math.max(name.length, meant.length) / 3)))
    .sort((a, b) => a.distance - b.distance);
  return best?.meant;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that make one text of another (optimal string alignment).
 * Both are short: names of options.
 */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (last[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      row[j] = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, replaced);
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j] as number, (before[j - 2] as number) + 1);
    }
    [before, last] = [last, row];
  }
  return last[to.length] as number;
}
