import type { RoomRecord, Seat } from '../store.ts';

/** The hash of a room as it stands in Redis: terms under names, seats under `s:`, `h:`, `a:` and `r:` with their id. */
export type RoomHash = Record<string, string>;

export function roomRecord({ epoch, token, endToken, capacity }: RoomHash): RoomRecord | undefined {
  if (epoch === undefined || token === undefined || endToken === undefined) return undefined;
  return {
    epoch,
    tokenHash: Buffer.from(token, 'base64url'),
    endTokenHash: Buffer.from(endToken, 'base64url'),
    capacity: Number(capacity),
  };
}

export function seatsOf(hash: RoomHash): Seat[] {
  return Object.keys(hash)
    .filter((field) => field.startsWith('s:'))
    .map((field) => {
      const seat = field.slice(2);
      const holder = hash[`h:${seat}`] || undefined;
      return { seat, holder, presence: holder === undefined ? 'away' : 'present' };
    });
}
