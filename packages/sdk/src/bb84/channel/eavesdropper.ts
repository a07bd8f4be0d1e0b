import { settle } from './fibre.ts';
import type { Eavesdropper } from './types.ts';

/** Several eavesdroppers along the fibre, the first nearest to Alice. */
export function inSequence(eavesdroppers: readonly Eavesdropper[]): Eavesdropper {
  return {
    description: eavesdroppers.map(({ description }) => description).join(', then '),
    attack: (pulses, line, random) =>
      eavesdroppers.reduce((rest, eve) => {
        const next = eve.attack(pulses, rest, random);
        settle(pulses);
        return next;
      }, line),
  };
}
