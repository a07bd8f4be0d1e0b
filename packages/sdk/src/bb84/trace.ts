import { getBit } from './bits.ts';
import type { Partition } from './sifting.ts';

/** Most pulses a trace can cover. */
export const MOST_TRACED = 4096;

/** What became of a pulse: not detected; bases differed; compared in public; kept for the key. */
export type PhotonFate = 'lost' | 'mismatched' | 'compared' | 'kept';

/** One pulse as one side knows it, for drawing. Bits that were kept for the key are never in it. */
export interface TracedPhoton {
  fate: PhotonFate;
  /** This side's basis and the other side's, once detected. */
  basis?: 'z' | 'x';
  peerBasis?: 'z' | 'x';
  /** This side's bit, unless it was kept. */
  bit?: number;
  /** The other side's bit, when it was compared. */
  peerBit?: number;
}

/** What a side knows after sifting. Everything but `detected` is over the detected pulses. */
export interface TraceInput {
  detected: Uint8Array;
  bits: Uint8Array;
  bases: Uint8Array;
  match: Uint8Array;
  parts: Partition;
  /** The other side's bits at the compared pulses. */
  peerBits: Uint8Array;
}

const basisName = (bit: number): 'z' | 'x' => (bit ? 'x' : 'z');

/** The first `count` pulses, one entry each. */
export function tracePhotons(count: number, { detected, bits, bases, match, parts, peerBits }: TraceInput): TracedPhoton[] {
  const photons: TracedPhoton[] = [];
  let rank = 0;
  let compared = 0;
  for (let pulse = 0; pulse < count; pulse++) {
    if (!getBit(detected, pulse)) {
      photons.push({ fate: 'lost' });
      continue;
    }
    const at = rank++;
    const own = getBit(bases, at);
    const bit = getBit(bits, at);
    const basis = basisName(own);
    if (!getBit(match, at)) photons.push({ fate: 'mismatched', basis, peerBasis: basisName(1 - own), bit });
    else if (getBit(parts.test, at)) {
      photons.push({ fate: 'compared', basis, peerBasis: basis, bit, peerBit: getBit(peerBits, compared++) });
    } else photons.push({ fate: 'kept', basis, peerBasis: basis });
  }
  return photons;
}
