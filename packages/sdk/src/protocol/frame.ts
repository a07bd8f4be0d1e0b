import { QsecError } from '../errors.ts';
import { versionMismatch } from '../version.ts';
import { type Bytes, Reader, Writer } from '../wire/index.ts';

/** The outside of everything that travels over the relay: one byte says what is inside, and no more. */

/** 2: pair frames end with a MAC. */
export const FRAME_VERSION = 2;
export const FRAME_TYPE = { handshake: 1, pair: 2, group: 3, versions: 4 } as const;
export type FrameType = (typeof FRAME_TYPE)[keyof typeof FRAME_TYPE];

export interface OuterFrame {
  type: FrameType;
  /** What follows version and type. */
  content: Bytes;
}

export const encodeFrame = (type: FrameType, content: Uint8Array): Bytes =>
  new Writer().u8(FRAME_VERSION).u8(type).fixed(content).bytes();

/** @throws {QsecError} `VERSION_MISMATCH` for another version of anything but `versions`, `HANDSHAKE_FAILED` for an unknown type */
export function decodeFrame(bytes: Uint8Array): OuterFrame {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const type = reader.u8();
  if (version !== FRAME_VERSION && type !== FRAME_TYPE.versions)
    throw versionMismatch({ what: 'frame', theirs: version, ours: FRAME_VERSION });
  if (type < FRAME_TYPE.handshake || type > FRAME_TYPE.versions)
    throw new QsecError('HANDSHAKE_FAILED', `A frame of unknown type ${type}.`);
  return { type: type as FrameType, content: reader.rest() };
}

export const GUARD_BYTES = 4;
