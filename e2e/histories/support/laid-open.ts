import type { Room } from '../../../packages/sdk/src/index.ts';
import type { Patch } from '../../support/test-build.ts';

/** Makes the private fields of the SDK's classes ordinary ones, for tests that compare states. */
export const laidOpen: Patch = (source) => source.replace(/#(?=[a-zA-Z])/g, '_');

/**
 * No part of what a member knows: what is shared with everything else, the way to the relay and to the disk, what waits, within
 * bounds, for keys that may come or be agreed again, how many frames came in vain, whom we asked which version they speak, and
 * when the page had its turn.
 */
const OUTSIDE = new Set([
  '_context',
  'session',
  'events',
  '_events',
  'logger',
  '_logger',
  '_store',
  '_waiting',
  '_hurry',
  '_doubts',
  '_refusals',
  '_others',
  '_turnedAt',
]);

/** Everything a member knows, keys and timers included, as one line for each value: what it is called, and what it is. */
export function stateOf(room: Room): Map<string, string> {
  const state = new Map<string, string>();
  const names = new Map<object, string>();
  const walk = (value: unknown, name: string): void => {
    if (typeof value === 'function' || value instanceof Promise) return;
    if (typeof value !== 'object' || value === null) {
      state.set(name, String(value));
      return;
    }
    if (value instanceof Uint8Array) {
      state.set(name, Buffer.from(value).toString('base64'));
      return;
    }
    const known = names.get(value);
    names.set(value, known ?? name);
    // What cannot be looked into is at least the same one.
    if (known || value instanceof CryptoKey) state.set(name, known ?? `key ${serial(value)}`);
    else if (value instanceof Map)
      for (const [i, [key, each]] of [...value].entries()) walk([key, each], `${name}.${label(key, i)}`);
    else if (value instanceof Set) for (const [i, each] of [...value].entries()) walk(each, `${name}.${label(each, i)}`);
    else for (const [key, each] of Object.entries(value)) if (!OUTSIDE.has(key)) walk(each, `${name}.${key}`);
  };
  walk(room, 'room');
  return state;
}

/** What is not as it was, in words. */
export function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

const label = (key: unknown, i: number): string => (typeof key === 'string' || typeof key === 'number' ? `${key}` : `${i}`);

const serials = new WeakMap<object, number>();
let last = 0;

function serial(value: object): number {
  const known = serials.get(value) ?? ++last;
  serials.set(value, known);
  return known;
}
