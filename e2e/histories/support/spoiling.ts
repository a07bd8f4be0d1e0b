import type { CarriedFrame } from '../../../packages/sdk/src/testing/index.ts';
import type { Bytes } from '../../../packages/sdk/src/wire/index.ts';
import type { Lab } from '../../threats/support/lab.ts';

/** What a relay may make of a frame: nobody who reads the result may be another than before. */

export const SPOILINGS = ['again', 'flipped', 'cut', 'longer', 'garbled', 'from another', 'of another type'] as const;
export type Spoiling = (typeof SPOILINGS)[number];

const TYPES = 5;
/** Version, type, session id, and kind of the first section. */
const HANDSHAKE_HEAD = 2 + 16 + 1;

/** @param at which bit, byte or seat; any number */
export function spoil(
  { testing, wire }: Lab,
  frame: CarriedFrame,
  how: Spoiling,
  at: number,
  seats: readonly string[],
): CarriedFrame {
  const { body } = frame;
  const [version = 0, type = 0] = body;
  switch (how) {
    case 'again':
      return frame;
    case 'flipped':
      return { ...frame, body: testing.flipBit(body, at % (8 * firstPart(body))) };
    case 'cut':
      return { ...frame, body: body.slice(0, at % firstPart(body)) };
    case 'longer':
      return { ...frame, body: wire.concat(body, new Uint8Array(1 + (at % 64))) };
    case 'garbled':
      return { ...frame, body: body.map((byte, i) => (i < at % firstPart(body) ? byte : byte ^ 0xa5)) };
    case 'from another':
      return { ...frame, from: seats[at % seats.length] ?? frame.from };
    case 'of another type':
      return { ...frame, body: wire.concat(new Uint8Array([version, (type + 1 + (at % (TYPES - 1))) % TYPES]), body.slice(2)) };
  }
}

/** The sections of a handshake frame prove themselves one by one: what is done to a later one leaves the first what it was. */
function firstPart(body: Bytes): number {
  if (body[1] !== 1) return body.length;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(HANDSHAKE_HEAD);
  return Math.min(body.length, HANDSHAKE_HEAD + 4 + length);
}
