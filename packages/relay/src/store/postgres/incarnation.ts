import { randomBytes } from 'node:crypto';
import { NOTIFY } from './listener.ts';
import { writePayload } from './news.ts';

/** Runs a statement within a transaction. */
export type Query = <Row>(statement: string, values: unknown[]) => Promise<Row[]>;

/**
 * A PostgreSQL that does not wait for the disk may come back without the last it committed, and would give those places a second time. The
 * table `incarnation` is not in its log: it is empty after a crash, and only then. The first who touches a room in another
 * incarnation gives it a new epoch, before any place is given.
 *
 * @returns whether a room has a new epoch.
 */
export async function renewForgotten(query: Query, rooms: readonly string[]): Promise<boolean> {
  const fresh = () => randomBytes(16).toString('base64url');
  await query('INSERT INTO incarnation (id) VALUES ($1) ON CONFLICT DO NOTHING', [fresh()]);
  // In the order in which appends lock them.
  await query('SELECT id FROM room WHERE room_hash = ANY($1) ORDER BY id FOR UPDATE', [rooms]);
  const renewed = await query<{ room_hash: string }>(
    `UPDATE room SET epoch = $2, incarnation = now.id FROM incarnation AS now
     WHERE room_hash = ANY($1) AND room.incarnation IS DISTINCT FROM now.id RETURNING room_hash`,
    [rooms, fresh()],
  );
  if (renewed.length === 0) return false;
  await query(NOTIFY, [renewed.map(({ room_hash }) => writePayload({ kind: 'renewed', room: room_hash }))]);
  return true;
}
