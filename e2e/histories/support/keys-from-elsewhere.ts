import type { KeySource } from '../../../packages/sdk/src/key-source/types.ts';

/**
 * A source of keys as an application may give one: both sides have their keys from elsewhere, and the flights only name them. BB84 has
 * tests of its own; here it would be nine tenths of the work.
 */
export function keysFromElsewhere(): KeySource {
  const side = (sends: boolean) => {
    const party = {
      sampled: 0,
      errors: 0,
      result: undefined as never,
      failure: undefined,
      on: () => () => undefined,
      next(flight?: Uint8Array): Uint8Array | undefined {
        if (flight) Object.assign(party, { result: { key: new Uint8Array(32).fill(0x4b), report: { pulses: 0 } } });
        return sends && flight ? undefined : new Uint8Array([1, 2, 3]);
      },
    };
    return party;
  };
  return { kind: 'etsi014', provenance: 'simulated', alice: () => side(true), bob: () => side(false), flightBound: () => 64 };
}
