import { VERSION } from '../bb84/channel/encoding.ts';
import { FORMAT } from '../bb84/flights.ts';
import type { QsecError } from '../errors.ts';
import { versionMismatch } from '../version.ts';
import { type Bytes, Writer } from '../wire/index.ts';
import { FRAME_TYPE, FRAME_VERSION } from './frame.ts';
import { HANDSHAKE_VERSION, SUITE } from './handshake.ts';
import { POLICY_VERSION } from './policy.ts';

/**
 * What a member says to one whose messages are of another version, so that both know. Read whatever the version in front of it, and never
 * changed but at its end: version u8 | type 4 | frame u8 | handshake u8 | suite u8 |
 * policy u8 | messages of BB84 u8 | its transmissions u8. It proves nothing.
 */

const OURS: readonly (readonly [string, number])[] = [
  ['frame', FRAME_VERSION],
  ['handshake', HANDSHAKE_VERSION],
  ['suite', SUITE],
  ['policy', POLICY_VERSION],
  ['BB84 messages', FORMAT],
  ['BB84 transmission', VERSION],
];

export function encodeVersions(): Bytes {
  const writer = new Writer().u8(FRAME_VERSION).u8(FRAME_TYPE.versions);
  for (const [, version] of OURS) writer.u8(version);
  return writer.bytes();
}

/** The first difference in what a member says it speaks, if there is one. What it does not name, or we do not know, is none. */
export function differenceIn(content: Uint8Array): QsecError | undefined {
  for (const [i, [what, ours]] of OURS.entries()) {
    const theirs = content[i];
    if (theirs !== undefined && theirs !== ours) return versionMismatch({ what, theirs, ours });
  }
  return undefined;
}
