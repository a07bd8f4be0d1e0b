import type { Bytes } from '../../wire/index.ts';

/** A frame on its way from one seat to another, as a relay has it in its hands. */
export interface CarriedFrame {
  /** As the relay knows it. */
  room: string;
  /** Seat that the receiver is told it comes from. */
  from: string;
  /** Seat that receives it. */
  to: string;
  transient: boolean;
  body: Bytes;
}

/** What a relay may look at: the first byte after the version. */
export type OuterType = 'handshake' | 'pair' | 'group' | 'unknown';

export function outerType(body: Uint8Array): OuterType {
  return (['unknown', 'handshake', 'pair', 'group'] as const)[body[1] ?? 0] ?? 'unknown';
}

/** A copy with one bit turned over; bits are counted from the first byte's highest, and on from the start beyond the end. */
export function flipBit(bytes: Uint8Array, bit: number): Bytes {
  const flipped = new Uint8Array(bytes);
  const at = bit % Math.max(1, 8 * flipped.length);
  flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (0x80 >> (at & 7));
  return flipped;
}

/** Bytes that look random and are the same every time, behind the first `keep` bytes of `body`. */
export function noiseBehind(body: Uint8Array, keep: number): Bytes {
  const noise = new Uint8Array(body);
  let state = 0x9e37_79b9 ^ keep;
  for (let i = Math.min(keep, noise.length); i < noise.length; i++) {
    // xorshift32 (Marsaglia, J. Stat. Softw. 8 (14), 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    noise[i] = state & 0xff;
  }
  return noise;
}
