import type { Replacements } from '../../support/test-build.ts';

/**
 * Random bytes that an attacker chooses: values put into `globalThis.__qsec2Script` are given out in turn, each to the next request of
 * its length. Thus an attacker's client makes a room with an id and secret that it knows from elsewhere.
 */

declare global {
  var __qsec2Script: Uint8Array[] | undefined;
}

export const SCRIPTED: Replacements = {
  'protocol/random.ts': `
    import { randomBytes as original } from 'original';
    export function randomBytes(length) {
      const script = globalThis.__qsec2Script ?? [];
      const at = script.findIndex((bytes) => bytes.length === length);
      return at < 0 ? original(length) : script.splice(at, 1)[0].slice();
    }`,
};
