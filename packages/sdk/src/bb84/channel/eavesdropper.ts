import { array } from '../arguments.ts';
import { settle } from './fibre.ts';
import type { Eavesdropper } from './types.ts';
import { requireAttack, requireEavesdropper, requireLine } from './validate.ts';

/** Several eavesdroppers along the fibre, the first nearest to Alice. */
export function inSequence(eavesdroppers: readonly Eavesdropper[]): Eavesdropper {
  for (const eavesdropper of array('eavesdroppers', eavesdroppers, 'an array of eavesdroppers'))
    requireEavesdropper(eavesdropper);
  return {
    description: eavesdroppers.map(({ description }) => description).join(', then '),
    attack(pulses, line, random) {
      requireAttack(pulses, line, random);
      return eavesdroppers.reduce((rest, eve) => {
        const next = requireLine(eve.attack(pulses, rest, random));
        settle(pulses);
        return next;
      }, line);
    },
  };
}
