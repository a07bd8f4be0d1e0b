import { type Bytes, utf8, Writer } from '../wire/index.ts';
import type { Invite } from './invite.ts';
import { expandLabel, extract } from './key-schedule.ts';

/** What both members derive from an invite: their common secret, and what they show the relay. */
export interface RoomKeys {
  /** Enters the handshake; never leaves the two SDKs. */
  psk: Bytes;
  /** Names the room at the relay, which cannot tell the room id or S from it. 16 bytes. */
  relayRoom: Bytes;
  /** Proves to the relay the right to join. 32 bytes. */
  relayToken: Bytes;
}

export function deriveRoomKeys({ secret, roomId, generation }: Invite): RoomKeys {
  const invite = extract(utf8('qsec2 v1 invite'), secret);
  const context = new Writer().fixed(roomId).u32(generation).bytes();
  return {
    psk: expandLabel(invite, 'psk', context),
    relayRoom: expandLabel(invite, 'relay room', context, 16),
    relayToken: expandLabel(invite, 'relay token', context, 32),
  };
}
