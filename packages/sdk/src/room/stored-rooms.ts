import { checkOptions, type Kinds, oneOf } from '../arguments.ts';
import { part } from '../part.ts';
import type { Invite } from '../protocol/invite.ts';
import type { StoragePort } from '../storage/port.ts';
import { ANYTHING, STORAGE } from './connect-options.ts';
import { relayUrl } from './relay-url.ts';

/** A room that can be returned to: `connect` with its invite does that, as the same member. */
export interface StoredRoom {
  readonly invite: Invite;
  /** Our name in it. */
  readonly name: string;
  /** Label of the room. */
  readonly roomName: string | undefined;
  readonly usedAt: Date;
  /** Erases everything that is stored of it. @throws {QsecError} `ROOM_OPEN_ELSEWHERE`, `STORAGE_UNAVAILABLE` */
  forget(): Promise<void>;
}

/** The same as for `connect`. */
export interface StoredRoomsOptions {
  relay: string | URL;
  persist: 'session' | 'device';
  storage?: StoragePort;
}

const OPTIONS: Kinds<StoredRoomsOptions> = {
  relay: ANYTHING,
  persist: oneOf('session', 'device'),
  storage: STORAGE,
};

/**
 * The rooms at a relay that were entered with this `persist` and not left, last used first.
 *
 * @throws {QsecError} `INVALID_ARGUMENT`, `STORAGE_UNAVAILABLE`
 *
 * @example
 * ```ts
 * const [last] = await storedRooms({ relay, persist: 'session' });
 * const room = await connect({ relay, persist: 'session', ...(last && { invite: last.invite }) });
 * ```
 */
export async function storedRooms(options: StoredRoomsOptions): Promise<StoredRoom[]> {
  checkOptions('options', options, OPTIONS, ['persist']);
  const { relay, persist, storage } = options;
  const { listRooms } = await part(() => import('../storage/index.ts'));
  return listRooms({ relay: relayUrl(relay), persist, storage });
}
