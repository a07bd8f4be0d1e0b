import { VERSION } from '../bb84/channel/encoding.ts';
import { FORMAT } from '../bb84/flights.ts';
import { QsecError } from '../errors.ts';
import { versionMismatch } from '../version.ts';
import { type Bytes, concat, equalBytes, Writer } from '../wire/index.ts';
import { FRAME_TYPE, FRAME_VERSION } from './frame.ts';
import { HANDSHAKE_VERSION, SUITE } from './handshake.ts';
import { expandLabel, mac } from './key-schedule.ts';
import { POLICY_VERSION } from './policy.ts';

/**
 * What a member says to one whose messages are of another version, so that both know. Read whatever the version in front of it, and never
 * changed but at the end of its list: version u8 | type 4 | frame u8 | handshake u8 | suite u8 |
 * policy u8 | messages of BB84 u8 | its transmissions u8 | MAC 16. The MAC is of who has the link, over whom it is from and to:
 * HMAC(EL(psk, "versions", seat | seat), list).
 */

/** Between whom it is said. Seats: 16 bytes each; psk: of the room. */
export interface Between {
  psk: Bytes;
  from: Bytes;
  to: Bytes;
}

const MAC_BYTES = 16;

const OURS: readonly (readonly [string, number])[] = [
  ['frame', FRAME_VERSION],
  ['handshake', HANDSHAKE_VERSION],
  ['suite', SUITE],
  ['policy', POLICY_VERSION],
  ['BB84 messages', FORMAT],
  ['BB84 transmission', VERSION],
];

export function encodeVersions(between: Between): Bytes {
  const list = Uint8Array.from(OURS, ([, version]) => version);
  return new Writer().u8(FRAME_VERSION).u8(FRAME_TYPE.versions).fixed(list).fixed(macOf(list, between)).bytes();
}

/**
 * The first difference in what a member says they speak, if there is one. What they do not name, or we do not know, is none.
 * @throws {QsecError} `HANDSHAKE_FAILED` when nobody who has the link said so from there to here
 */
export function differenceIn(content: Uint8Array, between: Between): QsecError | undefined {
  const list = content.subarray(0, -MAC_BYTES);
  if (!equalBytes(content.subarray(-MAC_BYTES), macOf(list, between)))
    throw new QsecError('HANDSHAKE_FAILED', 'Which versions a member speaks was not said by a member.');
  for (const [i, [what, ours]] of OURS.entries()) {
    const theirs = list[i];
    if (theirs !== undefined && theirs !== ours) return versionMismatch({ what, theirs, ours });
  }
  return undefined;
}

const macOf = (list: Uint8Array, { psk, from, to }: Between): Bytes =>
  mac(expandLabel(psk, 'versions', concat(from, to)), list).slice(0, MAC_BYTES);
