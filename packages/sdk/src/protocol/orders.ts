import { QsecError } from '../errors.ts';
import { type Bytes, compareBytes, equalBytes, Reader, Writer } from '../wire/index.ts';
import { fingerprint, importVerificationKey, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type SigningKey } from './identity.ts';
import { INVITE_SECRET_BYTES, Invite } from './invite.ts';
import { HASH_BYTES, hash, purpose } from './key-schedule.ts';
import { randomBytes } from './random.ts';

/**
 * What the creator, or a member whom it gave the right, decides while the room is open: who is let in, whether it is locked, who is
 * removed. Every order is signed and carries a number `n` that rises with each, so that none can be replayed.
 */

/** What a delegate may do. Order fixes the bit on the wire, from the lowest. */
export const RIGHTS = ['approve', 'lock', 'remove'] as const;
export type Right = (typeof RIGHTS)[number];

/** A member who may decide in the creator's stead. */
export interface Delegate {
  identity: Bytes;
  rights: readonly Right[];
}

/** Whom orders are taken from: who made the room, and its delegates. */
export interface Powers {
  creator: Bytes;
  delegates: readonly Delegate[];
}

export function may({ creator, delegates }: Powers, identity: Uint8Array, right: Right): boolean {
  return (
    equalBytes(identity, creator) ||
    delegates.some((delegate) => equalBytes(delegate.identity, identity) && delegate.rights.includes(right))
  );
}

async function isSigned(signer: Uint8Array, about: string, message: Bytes, signature: Uint8Array): Promise<boolean> {
  return (await importVerificationKey(signer)).verify(about, message, signature);
}

// Admission

const ADMISSION = 'admission';
/** n u32 | signer 32 | signature 64. */
export const ADMISSION_BYTES = 4 + PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

const admissionPart = ({ roomId, generation }: Invite, identity: Uint8Array, n: number): Bytes =>
  new Writer().fixed(roomId).u32(generation).fixed(identity).u32(n).bytes();

/** Vouches for an identity. */
export async function signAdmission(invite: Invite, signer: SigningKey, identity: Uint8Array, n: number): Promise<Bytes> {
  const signature = await signer.sign(ADMISSION, admissionPart(invite, identity, n));
  return new Writer().u32(n).fixed(signer.publicKey).fixed(signature).bytes();
}

/** Who an admission says signed it. */
export const signerOf = (admission: Uint8Array): Uint8Array => admission.subarray(4, 4 + PUBLIC_KEY_BYTES);

/** Whether somebody who may do so vouched for `identity` in this generation of the room. Who removes admits anew those who stay. */
export async function isAdmitted(invite: Invite, powers: Powers, identity: Uint8Array, admission: Uint8Array): Promise<boolean> {
  if (admission.length !== ADMISSION_BYTES) return false;
  const reader = new Reader(admission);
  const n = reader.u32();
  const signer = reader.fixed(PUBLIC_KEY_BYTES);
  if (!may(powers, signer, 'approve') && !may(powers, signer, 'remove')) return false;
  return isSigned(signer, ADMISSION, admissionPart(invite, identity, n), reader.rest());
}

// Lock

const LOCK = 'lock';
/** n u32 | locked u8 | signer 32 | signature 64. */
export const LOCK_BYTES = 4 + 1 + PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

/** Whether newcomers need to be let in by hand. Holds across generations of the room. */
export interface Lock {
  n: number;
  locked: boolean;
  signer: Bytes;
  /** As it travels. */
  encoded: Bytes;
}

const lockPart = (roomId: Bytes, body: Uint8Array): Bytes => new Writer().fixed(roomId).fixed(body).bytes();

export async function signLock({ roomId }: Invite, signer: SigningKey, n: number, locked: boolean): Promise<Lock> {
  const body = new Writer()
    .u32(n)
    .u8(locked ? 1 : 0)
    .fixed(signer.publicKey)
    .bytes();
  const signature = await signer.sign(LOCK, lockPart(roomId, body));
  return { n, locked, signer: signer.publicKey, encoded: new Writer().fixed(body).fixed(signature).bytes() };
}

/** Undefined when nobody signed it who may lock this room at present. @throws {QsecError} `INVALID_ARGUMENT` */
export async function verifyLock({ roomId }: Invite, powers: Powers, encoded: Bytes): Promise<Lock | undefined> {
  const reader = new Reader(encoded);
  const n = reader.u32();
  const locked = reader.u8();
  const signer = reader.fixed(PUBLIC_KEY_BYTES).slice();
  const signature = reader.fixed(SIGNATURE_BYTES);
  reader.end();
  if (locked > 1) throw new QsecError('INVALID_ARGUMENT', 'unknown values in an order');
  const body = encoded.subarray(0, -SIGNATURE_BYTES);
  const genuine = may(powers, signer, 'lock') && (await isSigned(signer, LOCK, lockPart(roomId, body), signature));
  return genuine ? { n, locked: locked === 1, signer, encoded } : undefined;
}

/** Which of two orders holds: the one with the higher number; of equal ones the creator's, else the one of the higher key. */
export function outranks(powers: Powers, order: Pick<Lock, 'n' | 'signer'>, other: Pick<Lock, 'n' | 'signer'>): boolean {
  if (order.n !== other.n) return order.n > other.n;
  return precedes(powers, order.signer, other.signer);
}

/** Whose word holds when two decided without knowing of each other. */
function precedes({ creator }: Powers, signer: Bytes, other: Bytes): boolean {
  if (equalBytes(signer, other) || equalBytes(other, creator)) return false;
  return equalBytes(signer, creator) || compareBytes(signer, other) > 0;
}

// Removal

const REMOVAL = 'removal';
/** n u32 | generation u32 | removed 32 | commitment 32 | signer 32 | signature 64. */
export const REMOVAL_BYTES = 4 + 4 + PUBLIC_KEY_BYTES + HASH_BYTES + PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

/** A member is banned, and the room goes on under a new secret. */
export interface Removal {
  n: number;
  /** The one that follows: one more than that of the link before. */
  generation: number;
  /** Identity key of who is removed. */
  removed: Bytes;
  /** To the secret of the new link, so that nobody on the way can put another one in its place. */
  commitment: Bytes;
  signer: Bytes;
  /** As it travels. */
  encoded: Bytes;
}

const removalPart = (roomId: Bytes, body: Uint8Array): Bytes => new Writer().fixed(roomId).fixed(body).bytes();

const commitTo = (roomId: Bytes, secret: Uint8Array): Bytes => hash(purpose('renewed secret'), roomId, secret);

/** Removes an identity from the room that `invite` leads to. Returns the order, and the new link for those who stay. */
export async function signRemoval(
  invite: Invite,
  signer: SigningKey,
  removed: Uint8Array,
  n: number,
): Promise<{ removal: Removal; renewed: Invite }> {
  const { roomId, creator } = invite;
  const renewed = new Invite({ generation: invite.generation + 1, roomId, creator, secret: randomBytes(INVITE_SECRET_BYTES) });
  const body = new Writer()
    .u32(n)
    .u32(renewed.generation)
    .fixed(removed)
    .fixed(commitTo(roomId, renewed.secret))
    .fixed(signer.publicKey)
    .bytes();
  const signature = await signer.sign(REMOVAL, removalPart(roomId, body));
  const encoded = new Writer().fixed(body).fixed(signature).bytes();
  return { removal: readRemoval(encoded), renewed };
}

/** @throws {QsecError} `NO_ADMIN` unless somebody signed it who may remove from this room, and not its creator; `INVALID_ARGUMENT` */
export async function verifyRemoval({ roomId, creator }: Invite, powers: Powers, encoded: Bytes): Promise<Removal> {
  const removal = readRemoval(encoded);
  const { signer, removed } = removal;
  const body = encoded.subarray(0, -SIGNATURE_BYTES);
  const genuine =
    may(powers, signer, 'remove') &&
    !equalBytes(fingerprint(removed), creator) &&
    (await isSigned(signer, REMOVAL, removalPart(roomId, body), encoded.subarray(-SIGNATURE_BYTES)));
  if (!genuine) throw new QsecError('NO_ADMIN', 'A removal was not signed by somebody who may remove members.');
  return removal;
}

/** A removal whose signature was checked before. @throws {QsecError} `INVALID_ARGUMENT` */
export function readRemoval(encoded: Bytes): Removal {
  const reader = new Reader(encoded);
  const removal = {
    n: reader.u32(),
    generation: reader.u32(),
    removed: reader.fixed(PUBLIC_KEY_BYTES).slice(),
    commitment: reader.fixed(HASH_BYTES).slice(),
    signer: reader.fixed(PUBLIC_KEY_BYTES).slice(),
    encoded,
  };
  reader.fixed(SIGNATURE_BYTES);
  reader.end();
  return removal;
}

/**
 * The link that a removal leads to.
 * @throws {QsecError} `HANDSHAKE_FAILED` when the secret is not the one that the order commits to
 */
export function renewedInvite({ roomId, creator }: Invite, { generation, commitment }: Removal, secret: Uint8Array): Invite {
  if (!equalBytes(commitTo(roomId, secret), commitment)) {
    throw new QsecError('HANDSHAKE_FAILED', 'A removal came with a secret that is not the one it commits to.');
  }
  return new Invite({ generation, roomId, creator, secret });
}

/**
 * Which of two removals that lead to the same generation holds. The other one is given again, on top of it. One whose signer the other
 * one removes never holds, unless both do: who was removed could else date one back.
 */
export function removalPrecedes(powers: Powers, removal: Removal, other: Removal): boolean {
  const [falls, fells] = [equalBytes(other.removed, removal.signer), equalBytes(removal.removed, other.signer)];
  return falls === fells ? precedes(powers, removal.signer, other.signer) : fells;
}
