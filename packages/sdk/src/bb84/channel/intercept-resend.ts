import { finite, object, word } from '../arguments.ts';
import { settle } from './fibre.ts';
import { bernoulliPlane, newPlane, wordsOf } from './plane.ts';
import type { Eavesdropper, PhysicsRandom, PulsesInFlight } from './types.ts';
import { percent, requireAttack } from './validate.ts';

/** The basis an eavesdropper measures in: one at random for each pulse, always the same, or halfway between Z and X. */
export type InterceptBasis = 'random' | 'z' | 'x' | 'breidbart';

/** Probability that a Breidbart measurement of a Z or X state, or the reverse, gives the other bit: sin²(π/8). */
export const BREIDBART_ERROR = Math.sin(Math.PI / 8) ** 2;

/**
 * Measures a fraction of the pulses and sends on what was read, as many photons as came in, so that only errors betray it.
 * A fraction p shows a QBER of p/4 with random bases or in the Breidbart basis; a fixed basis shows 0 in itself and p/2 in the
 * other (Bennett, Bessette, Brassard, Salvail, Smolin, J. Cryptology 5, 1992, §4).
 *
 * @param fraction of pulses measured, 0…1.
 * @throws QsecError `INVALID_ARGUMENT` when the fraction is outside 0…1 or there is no such basis.
 */
export function interceptResend(fraction: number, options: { basis?: InterceptBasis } = {}): Eavesdropper {
  const { basis = 'random' } = object('options', options);
  finite('fraction', fraction, 0, 1);
  word('basis', basis, ['random', 'z', 'x', 'breidbart']);
  const where = basis === 'random' ? 'random basis' : basis === 'breidbart' ? 'Breidbart basis' : `always ${basis.toUpperCase()}`;
  return {
    description: `intercept-resend on ${percent(fraction)} (${where})`,
    attack(pulses, line, random) {
      requireAttack(pulses, line, random);
      // Whoever calls this from an attack of their own may have put planes of any memory in place.
      settle(pulses);
      const chosen = bernoulliPlane(pulses.count, fraction, random);
      if (basis === 'breidbart') resendInBreidbart(pulses, chosen, random);
      else resendInZOrX(pulses, chosen, basis, random);
      return line;
    },
  };
}

function resendInZOrX(pulses: PulsesInFlight, chosen: Uint8Array, basis: 'random' | 'z' | 'x', random: PhysicsRandom): void {
  const taken = wordsOf(chosen);
  const bits = wordsOf(pulses.bits);
  const bases = wordsOf(pulses.bases);
  const halfway = pulses.breidbart && wordsOf(pulses.breidbart);
  const mistakes = pulses.breidbart && wordsOf(bernoulliPlane(pulses.count, BREIDBART_ERROR, random));
  for (let i = 0; i < taken.length; i++) {
    const mask = taken[i] as number;
    if (mask === 0) continue;
    const measured = basis === 'random' ? random.next() : basis === 'z' ? 0 : -1;
    const between = halfway ? (halfway[i] as number) : 0;
    const conjugate = ((bases[i] as number) ^ measured) & ~between;
    // A state of the other basis gives a coin; a Breidbart state errs with sin²(π/8).
    const noise = (random.next() & conjugate) | (mistakes ? (mistakes[i] as number) & between : 0);
    bits[i] = (bits[i] as number) ^ (noise & mask);
    bases[i] = ((bases[i] as number) & ~mask) | (measured & mask);
    if (halfway) halfway[i] = between & ~mask;
  }
}

function resendInBreidbart(pulses: PulsesInFlight, chosen: Uint8Array, random: PhysicsRandom): void {
  pulses.breidbart ??= newPlane(pulses.count);
  const taken = wordsOf(chosen);
  const bits = wordsOf(pulses.bits);
  const bases = wordsOf(pulses.bases);
  const halfway = wordsOf(pulses.breidbart);
  const mistakes = wordsOf(bernoulliPlane(pulses.count, BREIDBART_ERROR, random));
  for (let i = 0; i < taken.length; i++) {
    const mask = taken[i] as number;
    bits[i] = (bits[i] as number) ^ ((mistakes[i] as number) & mask & ~(halfway[i] as number));
    bases[i] = (bases[i] as number) & ~mask;
    halfway[i] = (halfway[i] as number) | mask;
  }
}
