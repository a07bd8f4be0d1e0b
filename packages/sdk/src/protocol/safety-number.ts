import { sha512 } from '@noble/hashes/sha2.js';
import { type Bytes, compareBytes, concat, Reader } from '../wire/index.ts';
import { expandLabel, purpose } from './key-schedule.ts';
import { SAS_EMOJI, type SasEmoji } from './sas-emoji.ts';

/** What two people compare to know that nobody is between them. */

const GROUPS_PER_IDENTITY = 6;
const SAS_BYTES = 6;
const SAS_EMOJI_COUNT = 7;

/**
 * 60 digits over the two identity keys, 12 groups of 5, equal for both sides. Each half belongs to one identity (about 100 bits:
 * finding another key with the same half is out of reach), the lower one first.
 */
export function safetyNumber(roomId: Uint8Array, mine: Uint8Array, theirs: Uint8Array): string {
  const digits = (identity: Uint8Array): string[] => {
    const reader = new Reader(sha512(concat(purpose('safety number'), roomId, identity)));
    return Array.from({ length: GROUPS_PER_IDENTITY }, () => {
      // 40 bits modulo 10^5: the bias is below 10^-6.
      const group = (reader.u8() * 2 ** 32 + reader.u32()) % 100_000;
      return String(group).padStart(5, '0');
    });
  };
  const [low, high] = compareBytes(mine, theirs) < 0 ? [mine, theirs] : [theirs, mine];
  return [...digits(low), ...digits(high)].join(' ');
}

/** The 42 bits both sides show as emoji: EL(hs, "sas", H(th2 | idB | idA | rA), 6). */
export const shortAuthenticationString = (hs: Bytes, context: Bytes): Bytes => expandLabel(hs, 'sas', context, SAS_BYTES);

/** Seven of 64 emoji, six bits each from the front. */
export function emojiOf(sas: Uint8Array): SasEmoji[] {
  const reader = new Reader(sas);
  const value = reader.u48();
  return Array.from({ length: SAS_EMOJI_COUNT }, (_, i) => {
    const index = Math.floor(value / 2 ** (42 - 6 * i)) % 64;
    return SAS_EMOJI[index] as SasEmoji;
  });
}
