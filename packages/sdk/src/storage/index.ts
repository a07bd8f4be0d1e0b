import { Invite } from '../protocol/invite.ts';
import { hash, purpose } from '../protocol/key-schedule.ts';
import { verifyRoomPolicy } from '../protocol/policy.ts';
import { toBase64url, Writer } from '../wire/index.ts';
import { isDamage } from './damage.ts';
import { indexedDbStorage } from './indexed-db.ts';
import type { KeptRoom, RoomStore } from './kept.ts';
import { importStorageKey } from './keys.ts';
import { limited } from './limited.ts';
import { lockOrRefuse } from './locks.ts';
import type { StoragePort } from './port.ts';
import { keepAlive, sessionId, sessionScope, sweep } from './sessions.ts';
import { eraseRoom, namesOf, roomsUnder, StoredRoom } from './stored-room.ts';
import { orUnavailable } from './unavailable.ts';
import { Vault } from './vault.ts';

/** Loaded when a room is to be kept, and not before. */

const TAG_BYTES = 16;

export interface StorageOptions {
  relay: URL;
  persist: 'session' | 'device';
  storage: StoragePort | undefined;
}

/** Names a room in a storage without telling which one it is. */
const tagOf = (relay: URL, { roomId, creator }: Invite): string =>
  toBase64url(hash(purpose('stored room'), new Writer().text(relay.href).bytes(), roomId, creator).slice(0, TAG_BYTES));

const scopeOf = (session: string | undefined): string => (session === undefined ? 'device' : sessionScope(session));

const portOf = (storage: StoragePort | undefined): StoragePort => (storage ? limited(storage) : indexedDbStorage());

/** Whether the identity of a room that is kept there can be one that nobody exports. */
export const keepsCryptoKeys = (storage: StoragePort | undefined): boolean => portOf(storage).keepsCryptoKeys;

/**
 * Takes what is kept of the room of an invite, and holds it against other tabs.
 * @throws {QsecError} `ROOM_OPEN_ELSEWHERE`, `STORAGE_UNAVAILABLE`
 */
export const claimRoom = (options: StorageOptions, invite: Invite): Promise<RoomStore> =>
  orUnavailable(() => claim(options, invite));

async function claim({ relay, persist, storage }: StorageOptions, invite: Invite): Promise<RoomStore> {
  const port = portOf(storage);
  const session = persist === 'session' ? sessionId() : undefined;
  await sweep(port, session);
  let store: StoredRoom | undefined;
  const stop = session === undefined ? () => undefined : await keepAlive(port, session, (cause) => store?.failed(cause));
  try {
    store = await StoredRoom.claim(port, namesOf(scopeOf(session), tagOf(relay, invite)), stop);
    return store;
  } catch (error) {
    stop();
    throw error;
  }
}

interface StoredRoomInfo {
  readonly invite: Invite;
  readonly name: string;
  readonly roomName: string | undefined;
  readonly usedAt: Date;
  forget(): Promise<void>;
}

/** The rooms at a relay that can be returned to, last used first. @throws {QsecError} `STORAGE_UNAVAILABLE` */
export const listRooms = (options: StorageOptions): Promise<StoredRoomInfo[]> => orUnavailable(() => list(options));

async function list({ relay, persist, storage }: StorageOptions): Promise<StoredRoomInfo[]> {
  const port = portOf(storage);
  const session = persist === 'session' ? sessionId() : undefined;
  await sweep(port, session);
  const scope = scopeOf(session);
  const found: StoredRoomInfo[] = [];
  for (const [name] of await port.list(roomsUnder(scope))) {
    const info = await describe(port, scope, name.slice(roomsUnder(scope).length), relay);
    if (info) found.push(info);
  }
  return found.sort((a, b) => b.usedAt.getTime() - a.usedAt.getTime());
}

async function describe(port: StoragePort, scope: string, tag: string, relay: URL): Promise<StoredRoomInfo | undefined> {
  const names = namesOf(scope, tag);
  const key = await port.get(names.key);
  if (!key) return undefined;
  let room: KeptRoom | undefined;
  try {
    room = (await new Vault(port, await importStorageKey(key)).get(names.room)) as KeptRoom | undefined;
  } catch (error) {
    // What does not open is no room that could be returned to; claiming it clears it away.
    if (!isDamage(error)) throw error;
  }
  if (room?.relay !== relay.href) return undefined;
  const invite = Invite.parse(room.invite);
  const policy = room.policy && (await verifyRoomPolicy(invite, room.policy));
  return {
    invite,
    name: room.name,
    roomName: policy?.name || undefined,
    usedAt: new Date(room.usedAt),
    async forget() {
      const unlock = await lockOrRefuse(port, names.room);
      try {
        await eraseRoom(port, names);
      } finally {
        unlock();
      }
    },
  };
}
