import type { Invite } from '../protocol/invite.ts';
import type { StoragePort } from '../storage/port.ts';
import { relayUrl } from './connect.ts';

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
export async function storedRooms({ relay, persist, storage }: StoredRoomsOptions): Promise<StoredRoom[]> {
  const { listRooms } = await import('../storage/index.ts');
  return listRooms({ relay: relayUrl(relay), persist, storage });
}
