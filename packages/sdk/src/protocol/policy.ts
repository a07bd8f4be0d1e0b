import { QsecError } from '../errors.ts';
import type { KeySourceKind } from '../key-source/types.ts';
import { type Bytes, equalBytes, MAX_CAPACITY, MIN_CAPACITY, Reader, Writer } from '../wire/index.ts';
import { fingerprint, importVerificationKey, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type SigningKey } from './identity.ts';
import type { Invite } from './invite.ts';

/** What each side tells the other inside the handshake: its demands on the key agreement, and the room policy it knows. */

/** Order fixes the byte on the wire. */
const KEY_SOURCES: readonly KeySourceKind[] = ['bb84', 'etsi014'];
const REQUIRED = 1;
/** The threshold travels in steps of 0.01 %. */
const THRESHOLD_STEPS = 10_000;
const LABEL_LIMIT = 256;
const SIGNED_POLICY_LIMIT = 1024;
/** n u32 | signature 64. */
const ADMISSION_BYTES = 4 + SIGNATURE_BYTES;

export interface AgreementPolicy {
  /** Whether a session without a key agreement is refused. Required if either side says so. */
  required: boolean;
  source: KeySourceKind;
  /** Pulses this side sends when it plays Alice. */
  pulses: number;
  /** 0–0.11. The lower one of both sides holds. */
  threshold: number;
}

/** The demands of one member, and the signed room policy if it has one. */
export interface MemberPolicy {
  agreement: AgreementPolicy;
  /** Encoded {@link SignedRoomPolicy}; empty for a newcomer, who has not got it yet. */
  room: Bytes;
  /** The creator's word for this member, {@link signAdmission}; empty for the creator and for who has not got it yet. */
  admission: Bytes;
}

export function encodeMemberPolicy({ agreement, room, admission }: MemberPolicy): Bytes {
  const { required, source, pulses, threshold } = agreement;
  return new Writer()
    .u8(required ? REQUIRED : 0)
    .u8(KEY_SOURCES.indexOf(source))
    .u32(pulses)
    .u16(Math.round(threshold * THRESHOLD_STEPS))
    .variable(room)
    .variable(admission)
    .bytes();
}

/** @throws {QsecError} `INVALID_ARGUMENT` for anything {@link encodeMemberPolicy} cannot have written */
export function decodeMemberPolicy(bytes: Uint8Array): MemberPolicy {
  const reader = new Reader(bytes);
  const flags = reader.u8();
  const source = KEY_SOURCES[reader.u8()];
  const pulses = reader.u32();
  const threshold = reader.u16() / THRESHOLD_STEPS;
  const room = reader.variable(SIGNED_POLICY_LIMIT).slice();
  const admission = reader.variable(ADMISSION_BYTES).slice();
  reader.end();
  if (flags > REQUIRED || source === undefined || threshold > 1)
    throw new QsecError('INVALID_ARGUMENT', 'unknown values in a policy');
  return { agreement: { required: flags === REQUIRED, source, pulses, threshold }, room, admission };
}

/** What the creator decided about the room. `n` rises with every signed order, so that none can be replayed. */
export interface RoomPolicyFields {
  n: number;
  join: 'auto' | 'approve';
  locked: boolean;
  capacity: number;
  /** Label of the room; empty when it has none. */
  name: string;
}

/** A room policy with the creator's key and signature. */
export interface SignedRoomPolicy extends RoomPolicyFields {
  creator: Bytes;
  /** As it travels. */
  encoded: Bytes;
}

const ABOUT = 'room policy';

/** The signed bytes begin with the room and generation, which the reader knows: they do not travel. */
const signedPart = ({ roomId, generation }: Invite, fields: Uint8Array): Bytes =>
  new Writer().fixed(roomId).u32(generation).fixed(fields).bytes();

export async function signRoomPolicy(invite: Invite, creator: SigningKey, fields: RoomPolicyFields): Promise<SignedRoomPolicy> {
  const { n, join, locked, capacity, name } = fields;
  const body = new Writer()
    .u32(n)
    .u8(join === 'approve' ? 1 : 0)
    .u8(locked ? 1 : 0)
    .u8(capacity)
    .text(name)
    .fixed(creator.publicKey)
    .bytes();
  const signature = await creator.sign(ABOUT, signedPart(invite, body));
  return { ...fields, creator: creator.publicKey, encoded: new Writer().fixed(body).fixed(signature).bytes() };
}

/** @throws {QsecError} `HANDSHAKE_FAILED` unless the creator whom the invite pins signed it for this room */
export async function verifyRoomPolicy(invite: Invite, encoded: Bytes): Promise<SignedRoomPolicy> {
  const body = encoded.subarray(0, -SIGNATURE_BYTES);
  const reader = new Reader(body);
  const n = reader.u32();
  const join = reader.u8() === 1 ? 'approve' : 'auto';
  const locked = reader.u8() === 1;
  const capacity = reader.u8();
  const name = reader.text(LABEL_LIMIT);
  const creator = reader.fixed(PUBLIC_KEY_BYTES).slice();
  reader.end();
  const key = await importVerificationKey(creator);
  const genuine =
    equalBytes(fingerprint(creator), invite.creator) &&
    capacity >= MIN_CAPACITY &&
    capacity <= MAX_CAPACITY &&
    (await key.verify(ABOUT, signedPart(invite, body), encoded.subarray(-SIGNATURE_BYTES)));
  if (!genuine) throw new QsecError('HANDSHAKE_FAILED', 'The room policy was not signed by the creator of this link.');
  return { n, join, locked, capacity, name, creator, encoded };
}

const ADMISSION = 'admission';

const admissionPart = ({ roomId, generation }: Invite, identity: Uint8Array, n: number): Bytes =>
  new Writer().fixed(roomId).u32(generation).fixed(identity).u32(n).bytes();

/** The creator vouches for an identity: n u32 | signature 64. */
export async function signAdmission(invite: Invite, creator: SigningKey, identity: Uint8Array, n: number): Promise<Bytes> {
  const signature = await creator.sign(ADMISSION, admissionPart(invite, identity, n));
  return new Writer().u32(n).fixed(signature).bytes();
}

/** Whether the creator vouched for `identity` in this generation of the room. */
export async function isAdmitted(
  invite: Invite,
  creator: Uint8Array,
  identity: Uint8Array,
  admission: Uint8Array,
): Promise<boolean> {
  if (admission.length !== ADMISSION_BYTES) return false;
  const reader = new Reader(admission);
  const n = reader.u32();
  const key = await importVerificationKey(creator);
  return key.verify(ADMISSION, admissionPart(invite, identity, n), reader.rest());
}
