import { sql, type Transaction } from 'kysely';
import type { Schema } from '../../database/schema.ts';

/** Deletes rooms that are locked. */
export async function deleteRooms(db: Transaction<Schema>, rooms: readonly number[]): Promise<void> {
  if (rooms.length === 0) return;
  for (const table of ['segment', 'identity', 'member'] as const) {
    await db.deleteFrom(table).where(sql.ref('room'), 'in', rooms).execute();
  }
  await db.deleteFrom('room').where('id', 'in', rooms).execute();
}
