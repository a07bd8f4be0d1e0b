import { integer } from './arguments.ts';
import { byteLength } from './bits.ts';
import { MOST_PULSES } from './limits.ts';
import { DEFAULT_SAMPLE_FRACTION } from './options.ts';
import { packedLength } from './radix.ts';
import { ldpcBound } from './reconciliation/ldpc.ts';

/** All of a hello but the planes: fixed fields, 255 bytes of description, detector. */
const HELLO = 320;
/** Planes of a transmission on which every pulse arrives in one of four states, and of any other. */
const PLAIN_PLANES = 2;
const ALL_PLANES = 4;
/** Fixed fields of the other flights, with seeds and tags. */
const FIELDS = 128;
/** A reply: a verdict with two numbers, or a request of the decoder. */
const REPLY = 16;
/** Standard deviations of a binomial count that no run exceeds (one in 10¹⁵). */
const DEVIATIONS = 8;

/** Most of `count` pulses that are chosen with a probability. */
const most = (count: number, probability: number): number =>
  Math.min(count, Math.ceil(count * probability + DEVIATIONS * Math.sqrt(count * probability * (1 - probability))));

/**
 * The size to pad a flight to so that its length tells nothing of the error rate: it depends on the number of pulses only. For
 * flights 1 and 2 there are two sizes, the smaller for links on which every pulse arrives; with `length` given, the one that the
 * flight fits. At 32 768 pulses a run is 24 KB with the smaller ones.
 *
 * Holds for single photons, equally likely bases, the default sample and `ldpc`. A decoy source's photon numbers and
 * Cascade's many rounds are for links that need no padding.
 *
 * @param flight its number from 1 on: odd ones are Alice's, and those after the fourth are extra syndrome and replies.
 * @param length the flight's own length in bytes. Absent: the larger size.
 * @returns bytes.
 * @throws QsecError `INVALID_ARGUMENT` when there is no such flight, or no run of so many pulses.
 */
export function flightBound(flight: number, pulses: number, length?: number): number {
  integer('flight', flight, 1);
  integer('pulses', pulses, 1, MOST_PULSES);
  if (length !== undefined) integer('length', length, 0);
  const plane = byteLength(pulses);
  const choose = (small: number, large: number): number => (length !== undefined && length <= small ? small : large);
  const kept = most(pulses, (1 - DEFAULT_SAMPLE_FRACTION) / 2);
  const syndrome = ldpcBound(kept);
  if (flight === 1) return choose(HELLO + PLAIN_PLANES * plane, HELLO + ALL_PLANES * plane);
  if (flight === 2) {
    const rest = FIELDS + byteLength(most(pulses, DEFAULT_SAMPLE_FRACTION));
    return choose(rest + plane, rest + packedLength(pulses, 3));
  }
  if (flight === 3) {
    const compared = byteLength(most(pulses, DEFAULT_SAMPLE_FRACTION / 2));
    // A Toeplitz seed is as long as the key before and after.
    return FIELDS + plane + compared + syndrome.first + 2 * byteLength(kept);
  }
  return flight % 2 === 0 ? REPLY : REPLY + syndrome.answer;
}
