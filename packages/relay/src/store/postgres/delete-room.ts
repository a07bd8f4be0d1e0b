import { sql, type Transaction } from 'kysely';
import type { Schema } from '../../database/schema.ts';

/** Deletes a room that is locked. */
export async function deleteRoom(db: Transaction<Schema>, room: number): Promise<void> {
  for (const table of ['segment', 'identity', 'member'] as const) {
    await db.deleteFrom(table).where(sql.ref('room'), '=', room).execute();
  }
  await db.deleteFrom('room').where('id', '=', room).execute();
}
