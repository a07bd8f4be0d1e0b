import { QsecError } from '../errors.ts';
import { part } from '../part.ts';
import { fingerprint, generateKeyPair, type SigningKey, signingKey } from '../protocol/identity.ts';
import { INVITE_SECRET_BYTES, Invite } from '../protocol/invite.ts';
import { type Lock, verifyLock } from '../protocol/orders.ts';
import { type RoomPolicyFields, type SignedRoomPolicy, signRoomPolicy, verifyRoomPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { KEPT_VERSION, type Kept, type KeptRoom, type RoomStore } from '../storage/kept.ts';
import type { StoragePort } from '../storage/port.ts';
import { versionMismatch } from '../version.ts';
import {
  type Bytes,
  equalBytes,
  type Position,
  ROOM_ID_BYTES,
  SEAT_BYTES,
  SEAT_SECRET_BYTES,
  TOKEN_BYTES,
} from '../wire/index.ts';

/** What somebody enters a room with: made for the purpose, or kept from when the room was open here last. */
export interface Entry {
  relay: URL;
  invite: Invite;
  identity: SigningKey;
  seat: Bytes;
  seatSecret: Bytes;
  /** Of who made the room. */
  endToken: Bytes | undefined;
  name: string;
  /** The signed policy, where it is known before anyone is met. */
  policy: SignedRoomPolicy | undefined;
  lock: Lock | undefined;
  /** Whether the room has to be made. */
  create: boolean;
  /** Whether the room moved, and we have not been where it went. */
  moved: boolean;
  /** Where to go on. */
  since: Position | undefined;
  store: RoomStore | undefined;
}

export interface EntryOptions {
  relay: URL;
  given: Invite | undefined;
  /** Undefined: as before, else the default. */
  name: string | undefined;
  defaultName: string;
  /** Of a new room. */
  policy: Omit<RoomPolicyFields, 'n' | 'delegates'>;
  persist: 'none' | 'session' | 'device';
  storage: StoragePort | undefined;
}

/** @throws {QsecError} `ROOM_OPEN_ELSEWHERE`, `STORAGE_UNAVAILABLE`, `INVITE_INVALID`, `VERSION_MISMATCH` */
export async function prepareEntry(options: EntryOptions): Promise<Entry> {
  const { given, persist, relay, storage } = options;
  if (persist === 'none') return newEntry(options, false, async () => undefined);
  // Who keeps nothing loads nothing of this.
  const { claimRoom, keepsCryptoKeys } = await part(() => import('../storage/index.ts'));
  const claim = (invite: Invite) => claimRoom({ relay, persist, storage }, invite);
  const store = given && (await claim(given));
  try {
    if (given && store?.kept) return await keptEntry(options, store, store.kept, given);
    return await newEntry(options, !keepsCryptoKeys(storage), async (invite) => store ?? claim(invite));
  } catch (error) {
    await store?.release();
    throw error;
  }
}

async function newEntry(
  { relay, given, name, defaultName, policy }: EntryOptions,
  extractable: boolean,
  claim: (invite: Invite) => Promise<RoomStore | undefined>,
): Promise<Entry> {
  const { privateKey, publicKey } = await generateKeyPair(extractable);
  const identity = signingKey(privateKey, publicKey);
  const invite = given ?? newInvite(identity);
  const store = await claim(invite);
  try {
    await store?.create(privateKey);
  } catch (error) {
    await store?.release();
    throw error;
  }
  return {
    relay,
    invite,
    identity,
    seat: randomBytes(SEAT_BYTES),
    seatSecret: randomBytes(SEAT_SECRET_BYTES),
    endToken: given ? undefined : randomBytes(TOKEN_BYTES),
    name: name ?? defaultName,
    policy: given ? undefined : await signRoomPolicy(invite, identity, { ...policy, n: 1, delegates: [] }),
    lock: undefined,
    create: given === undefined,
    moved: false,
    since: undefined,
    store,
  };
}

/** The same member as before: identity, seat, and where the relay's frames were read up to. */
async function keptEntry(
  { relay, name }: EntryOptions,
  store: RoomStore,
  { identity, room }: Kept,
  given: Invite,
): Promise<Entry> {
  // Rooms of before the version was written have the first one.
  const { version = 1 } = room as Partial<KeptRoom>;
  if (version !== KEPT_VERSION)
    throw versionMismatch({ what: 'kept room', theirs: version, ours: KEPT_VERSION, whose: 'storage' });
  const known = Invite.parse(room.invite);
  if (known.generation === given.generation && !equalBytes(known.secret, given.secret)) {
    throw new QsecError('INVITE_INVALID', 'This invite contradicts the one by which this room was entered before.');
  }
  // Whichever link is newer: removals renew it.
  const renewed = given.generation > known.generation;
  const invite = renewed ? given : known;
  const policy = room.policy && (await verifyRoomPolicy(invite, room.policy));
  return {
    relay,
    invite,
    identity,
    seat: room.seat,
    seatSecret: room.seatSecret,
    endToken: room.endToken,
    name: name ?? room.name,
    policy,
    lock: policy && room.lock ? await verifyLock(invite, policy, room.lock) : undefined,
    create: false,
    moved: !renewed && room.position === undefined,
    since: renewed ? undefined : room.position,
    store,
  };
}

function newInvite(identity: SigningKey): Invite {
  return new Invite({
    generation: 0,
    roomId: randomBytes(ROOM_ID_BYTES),
    secret: randomBytes(INVITE_SECRET_BYTES),
    creator: fingerprint(identity.publicKey),
  });
}
