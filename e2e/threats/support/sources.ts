import type { Replacements } from '../../support/test-build.ts';
import type { Edit } from './lab.ts';

/** Test builds that show what no build shows, or bring keys another way. */

declare global {
  var __qsec2Observed: { name: string; bytes: Uint8Array }[];
}

/** Puts copies of what the two halves of X-Wing give, the psk and K_qkd into `globalThis.__qsec2Observed`. */
export const OBSERVE: readonly Edit[] = [
  {
    file: 'protocol/x-wing.ts',
    find: 'const input = concat(kemShared,',
    put: `globalThis.__qsec2Observed?.push({ name: 'ml-kem', bytes: kemShared.slice() }, { name: 'x25519', bytes: x25519Shared.slice() },
            { name: 'x25519 public keys', bytes: concat(x25519Ciphertext, x25519Public) });
          const input = concat(kemShared,`,
  },
  {
    file: 'protocol/x-wing.ts',
    find: 'const sharedSecret = sha3_256(input) as Bytes;',
    put: `const sharedSecret = sha3_256(input) as Bytes;
          globalThis.__qsec2Observed?.push({ name: 'x-wing', bytes: sharedSecret.slice() });`,
  },
  {
    file: 'protocol/pairing.ts',
    find: "const master = extract(expandLabel(hs, 'derived', NOTHING), key);",
    put: `globalThis.__qsec2Observed?.push({ name: 'psk', bytes: this.#options.psk.slice() }, { name: 'agreed key', bytes: key.slice() });
          const master = extract(expandLabel(hs, 'derived', NOTHING), key);`,
  },
];

/** What was observed by a name, oldest first. */
export const observed = (name: string): Buffer[] =>
  globalThis.__qsec2Observed.filter((each) => each.name === name).map(({ bytes }) => Buffer.from(bytes));

/** A key that both sides have from elsewhere, as quantum hardware gives it: the flights carry nothing of it. */
export const KEY_FROM_ELSEWHERE: Replacements = {
  'key-source/bb84.ts': `
    class Side {
      #sends; result; failure; sampled = 0; errors = 0;
      constructor(sends) { this.#sends = sends; }
      on() { return () => undefined; }
      next(flight) {
        const done = () => { this.result = { key: new Uint8Array(32).fill(0x4b), report: { pulses: 0, provenance: 'hardware' } }; };
        if (flight) done();
        if (this.#sends && flight) return undefined;
        return new Uint8Array([1, 2, 3]);
      }
    }
    export const bb84KeySource = () => ({
      kind: 'bb84', provenance: 'hardware', alice: () => new Side(true), bob: () => new Side(false), flightBound: () => 64,
    });`,
};
export const KEY_FROM_ELSEWHERE_COUNTED = { errors: 0, sampled: 0, provenance: 'hardware', keyId: '' };
