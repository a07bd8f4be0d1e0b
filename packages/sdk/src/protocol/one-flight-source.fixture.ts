import { vi } from 'vitest';
import { AGREED_KEY_BYTES, type KeyParty, type KeySource } from '../key-source/types.ts';

/**
 * A key source for tests of what surrounds one: a flight of one byte each way, then both sides hold a key of ones.
 * @param wrong what its parties do otherwise
 */
export function oneFlightSource(wrong: Partial<KeyParty> = {}): KeySource {
  const side = (speaksFirst: boolean) => (): KeyParty => {
    const party = {
      result: undefined as KeyParty['result'],
      failure: undefined,
      sampled: 2,
      errors: 0,
      on: () => () => undefined,
      next(flight?: Uint8Array): Uint8Array | undefined {
        if (flight) this.result ??= { key: new Uint8Array(AGREED_KEY_BYTES).fill(1), report: {} as never };
        return flight && speaksFirst ? undefined : Uint8Array.of(7);
      },
    };
    return Object.defineProperties(party, Object.getOwnPropertyDescriptors(wrong)) as KeyParty;
  };
  return {
    kind: 'bb84',
    provenance: 'simulated',
    alice: vi.fn(side(true)),
    bob: vi.fn(side(false)),
    flightBound: () => 16,
  };
}
