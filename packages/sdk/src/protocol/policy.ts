import { QsecError } from '../errors.ts';
import type { KeySourceKind } from '../key-source/types.ts';
import { versionMismatch } from '../version.ts';
import { type Bytes, equalBytes, fromUtf8, MAX_CAPACITY, MIN_CAPACITY, Reader, utf8, Writer } from '../wire/index.ts';
import { NAME_FIELD_BYTES } from './group-content.ts';
import { fingerprint, importVerificationKey, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type SigningKey } from './identity.ts';
import type { Invite } from './invite.ts';
import { ADMISSION_BYTES, type Delegate, LOCK_BYTES, RIGHTS } from './orders.ts';
import { pad, unpad } from './padding.ts';

/** What each side tells the other inside the handshake: its demands on the key agreement, the room policy it knows, and its name. */

/** Order fixes the byte on the wire. */
export const KEY_SOURCES: readonly KeySourceKind[] = ['bb84', 'etsi014'];
/** Of a member's policy and of the orders in it and outside: raised with the layout of any of them. */
export const POLICY_VERSION = 1;
const REQUIRED = 1;
/** The threshold travels in steps of 0.01 %. */
const THRESHOLD_STEPS = 10_000;
const LABEL_LIMIT = 256;
const SIGNED_POLICY_LIMIT = 1024;
const ALL_RIGHTS = 2 ** RIGHTS.length - 1;

export interface AgreementPolicy {
  /** Whether a session without a key agreement is refused. Required if either side says so. */
  required: boolean;
  source: KeySourceKind;
  /** Pulses this side sends when it plays Alice. */
  pulses: number;
  /** 0–0.11. The lower one of both sides holds. */
  threshold: number;
}

/** The demands of one member, the signed room policy if it has one, and what it calls itself. */
export interface MemberPolicy {
  agreement: AgreementPolicy;
  /** Encoded {@link SignedRoomPolicy}; empty for a newcomer, who has not got it yet. */
  room: Bytes;
  /** The last order that locked the room or opened it; empty if there was none. */
  lock: Bytes;
  /** The word of somebody who may admit for this member; empty for the creator and for who has not got it yet. */
  admission: Bytes;
  /** Told with the identity, so that nobody is sent anything before it is known whom it claims to be. */
  name: string;
}

export function encodeMemberPolicy({ agreement, room, lock, admission, name }: MemberPolicy): Bytes {
  const { required, source, pulses, threshold } = agreement;
  return new Writer()
    .u8(POLICY_VERSION)
    .u8(required ? REQUIRED : 0)
    .u8(KEY_SOURCES.indexOf(source))
    .u32(pulses)
    .u16(Math.round(threshold * THRESHOLD_STEPS))
    .variable(room)
    .variable(lock)
    .variable(admission)
    .fixed(pad(utf8(name), NAME_FIELD_BYTES))
    .bytes();
}

/** @throws {QsecError} `VERSION_MISMATCH`, or `INVALID_ARGUMENT` for anything {@link encodeMemberPolicy} cannot have written */
export function decodeMemberPolicy(bytes: Uint8Array): MemberPolicy {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== POLICY_VERSION) throw versionMismatch({ what: 'policy', theirs: version, ours: POLICY_VERSION });
  const flags = reader.u8();
  const source = KEY_SOURCES[reader.u8()];
  const pulses = reader.u32();
  const threshold = reader.u16() / THRESHOLD_STEPS;
  const room = reader.variable(SIGNED_POLICY_LIMIT).slice();
  const lock = reader.variable(LOCK_BYTES).slice();
  const admission = reader.variable(ADMISSION_BYTES).slice();
  const name = fromUtf8(unpad(reader.fixed(NAME_FIELD_BYTES)));
  reader.end();
  if (flags > REQUIRED || source === undefined || threshold > 1)
    throw new QsecError('INVALID_ARGUMENT', 'unknown values in a policy');
  return { agreement: { required: flags === REQUIRED, source, pulses, threshold }, room, lock, admission, name };
}

/** What the creator decided about the room. `n` rises with every signed order, so that none can be replayed. */
export interface RoomPolicyFields {
  n: number;
  join: 'auto' | 'approve';
  capacity: number;
  /** Label of the room; empty when it has none. */
  name: string;
  /** Members who may decide in the creator's stead. */
  delegates: readonly Delegate[];
}

/** A room policy with the creator's key and signature. Holds across generations of the room. */
export interface SignedRoomPolicy extends RoomPolicyFields {
  creator: Bytes;
  /** As it travels. */
  encoded: Bytes;
}

const ABOUT = 'room policy';

/** The signed bytes begin with the room, which the reader knows: it does not travel. */
const signedPart = ({ roomId }: Invite, fields: Uint8Array): Bytes => new Writer().fixed(roomId).fixed(fields).bytes();

export async function signRoomPolicy(invite: Invite, creator: SigningKey, fields: RoomPolicyFields): Promise<SignedRoomPolicy> {
  const { n, join, capacity, name, delegates } = fields;
  const writer = new Writer()
    .u32(n)
    .u8(join === 'approve' ? 1 : 0)
    .u8(capacity)
    .text(name)
    .u8(delegates.length);
  for (const { identity, rights } of delegates) writer.fixed(identity).u8(bitsOf(rights));
  const body = writer.fixed(creator.publicKey).bytes();
  const signature = await creator.sign(ABOUT, signedPart(invite, body));
  return { ...fields, creator: creator.publicKey, encoded: new Writer().fixed(body).fixed(signature).bytes() };
}

/** @throws {QsecError} `HANDSHAKE_FAILED` unless the creator whom the invite pins signed it for this room; `INVALID_ARGUMENT` */
export async function verifyRoomPolicy(invite: Invite, encoded: Bytes): Promise<SignedRoomPolicy> {
  const body = encoded.subarray(0, -SIGNATURE_BYTES);
  const reader = new Reader(body);
  const n = reader.u32();
  const approve = reader.u8();
  const capacity = reader.u8();
  const name = reader.text(LABEL_LIMIT);
  const count = reader.u8();
  if (count >= MAX_CAPACITY || approve > 1) throw new QsecError('INVALID_ARGUMENT', 'unknown values in a policy');
  if (capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
    const places = `a policy for a room of ${capacity} places; a room has ${MIN_CAPACITY} to ${MAX_CAPACITY}`;
    throw new QsecError('INVALID_ARGUMENT', places);
  }
  const delegates = Array.from({ length: count }, () => readDelegate(reader));
  const creator = reader.fixed(PUBLIC_KEY_BYTES).slice();
  reader.end();
  const key = await importVerificationKey(creator);
  const genuine =
    equalBytes(fingerprint(creator), invite.creator) &&
    (await key.verify(ABOUT, signedPart(invite, body), encoded.subarray(-SIGNATURE_BYTES)));
  if (!genuine) throw new QsecError('HANDSHAKE_FAILED', 'The room policy was not signed by the creator of this link.');
  return { n, join: approve === 1 ? 'approve' : 'auto', capacity, name, delegates, creator, encoded };
}

function readDelegate(reader: Reader): Delegate {
  const identity = reader.fixed(PUBLIC_KEY_BYTES).slice();
  const bits = reader.u8();
  if (bits > ALL_RIGHTS) throw new QsecError('INVALID_ARGUMENT', 'unknown values in a policy');
  return { identity, rights: RIGHTS.filter((_, i) => bits & (1 << i)) };
}

const bitsOf = (rights: Delegate['rights']): number =>
  RIGHTS.reduce((bits, right, i) => bits | (rights.includes(right) ? 1 << i : 0), 0);
