import { QsecError } from '../errors.ts';
import type { Peer as ProvenPeer } from '../protocol/handshake.ts';
import { fingerprint } from '../protocol/identity.ts';
import type { Invite } from '../protocol/invite.ts';
import { decodeMemberPolicy, type SignedRoomPolicy, verifyRoomPolicy } from '../protocol/policy.ts';
import { type Bytes, equalBytes, MIN_CAPACITY } from '../wire/index.ts';
import type { RoomContext } from './context.ts';

export interface AdmissionRequest {
  context: Pick<RoomContext, 'identity' | 'invite' | 'me'>;
  /** Who proved its identity and the invite's secret. */
  peer: ProvenPeer;
  /** Identity keys of the other members, without what is known of this peer's seat. */
  known: readonly Bytes[];
  policy: SignedRoomPolicy | undefined;
}

/**
 * Decides about a peer before anything is agreed with it. Returns the newest room policy known then.
 * @throws {QsecError} `HANDSHAKE_FAILED` or `ROOM_FULL` to refuse it
 */
export async function admit({ context, peer, known, policy }: AdmissionRequest): Promise<SignedRoomPolicy | undefined> {
  const { identity, invite, me } = context;
  if (equalBytes(peer.identity, identity.publicKey)) {
    throw new QsecError('HANDSHAKE_FAILED', 'The other side shows our own identity: somebody reflects our messages.');
  }
  const present = me.creator ? policy : await learnPolicy(invite, peer, policy);
  const others = known.filter((key) => !equalBytes(key, peer.identity)).length;
  if (others + 2 > (present?.capacity ?? MIN_CAPACITY)) throw new QsecError('ROOM_FULL', 'More people than the room has places.');
  return present;
}

/** What somebody who joined may believe about the room, and from whom. */
async function learnPolicy(
  invite: Invite,
  peer: ProvenPeer,
  before: SignedRoomPolicy | undefined,
): Promise<SignedRoomPolicy | undefined> {
  const isCreator = equalBytes(fingerprint(peer.identity), invite.creator);
  const { room } = decodeMemberPolicy(peer.policy);
  const signed = room.length > 0 ? await verifyRoomPolicy(invite, room) : undefined;
  if (isCreator && !signed) throw new QsecError('HANDSHAKE_FAILED', 'The creator did not show a signed room policy.');
  const newest = signed && signed.n >= (before?.n ?? 0) ? signed : before;
  // In a room for two, the other one has to be who made the link: a relay that knows the link cannot step in between.
  if (!isCreator && (!newest || newest.capacity === MIN_CAPACITY)) {
    throw new QsecError('HANDSHAKE_FAILED', 'The other side is not who made this link.');
  }
  return newest;
}
