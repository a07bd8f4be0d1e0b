import { QsecError } from '../errors.ts';
import { byteLength } from './bits.ts';
import { packedLength } from './radix.ts';
import { ldpcBound } from './reconciliation/ldpc.ts';
import { SAMPLE_SEED_BYTES } from './sifting.ts';

/** Header, description, intensities and detector of a hello. */
const HELLO_HEADER = 512;
/** Planes of a simulated transmission: bits and bases; with which pulses arrive and which states lie between the bases. */
const PLAIN_PLANES = 2;
const ALL_PLANES = 4;
/** Fixed fields, verification seed and tag. */
const HEADER = 256;

/**
 * The size to pad a flight to, so that its length tells nothing of the error rate: it depends on the number of pulses only. For
 * flight 1 there are two sizes, one for channels that lose nothing and one for any other; given `length`, the smaller that holds
 * it. Holds for single photons and `ldpc`; a decoy source's photon numbers and Cascade's rounds have no such bound.
 *
 * @param flight 1 hello, 2 detections, 3 disclosure, 4 reply, 5 answer, 6 last reply.
 * @param length the flight's own length in bytes. Absent: the larger size.
 * @param keyBits length of the key asked for; absent, all secret bits are assumed.
 * @returns bytes.
 */
export function flightBound(flight: number, pulses: number, length = Number.POSITIVE_INFINITY, keyBits = pulses): number {
  const plane = byteLength(pulses);
  // Six standard deviations above half of the pulses (failing once in 10⁹) would be enough for what is sifted; all of them is safe.
  const ldpc = ldpcBound(pulses);
  switch (flight) {
    case 1: {
      const plain = HELLO_HEADER + PLAIN_PLANES * plane;
      return length <= plain ? plain : HELLO_HEADER + ALL_PLANES * plane;
    }
    case 2:
      return HEADER + SAMPLE_SEED_BYTES + packedLength(pulses, 3) + plane;
    case 3:
      return HEADER + 2 * plane + ldpc.first + 2 * plane + byteLength(keyBits);
    case 4:
    case 6:
      return HEADER + ldpc.request;
    case 5:
      return HEADER + ldpc.answer;
    default:
      throw new QsecError('INVALID_ARGUMENT', `"flight" expected 1 to 6, got ${flight}`);
  }
}
