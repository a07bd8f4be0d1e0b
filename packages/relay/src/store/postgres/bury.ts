import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../database/schema.ts';
import { tellAll } from './news.ts';

/** Rooms seen to in one transaction. */
const AT_ONCE = 100;

/**
 * The seats of a relay that is no more are away from now on. Nothing happens when it has said since that it is alive.
 *
 * @param beat what it last wrote as its heartbeat.
 * @returns how many rooms it had seats in.
 */
export async function bury(queries: Kysely<Schema>, node: string, beat: number, now: number): Promise<number> {
  let rooms = 0;
  for (;;) {
    const buried = await buryRooms(queries, node, beat, now);
    rooms += buried;
    if (buried < AT_ONCE) break;
  }
  await queries.deleteFrom('node').where('name', '=', node).where('seen', '=', beat).execute();
  return rooms;
}

function buryRooms(queries: Kysely<Schema>, node: string, beat: number, now: number): Promise<number> {
  return queries.transaction().execute(async (db) => {
    const its = sql<boolean>`split_part(holder, '.', 1) = ${node}`;
    const held = await db
      .selectFrom('member')
      .select('room')
      .distinct()
      .where('holder', 'is not', null)
      .where(its)
      .limit(AT_ONCE)
      .execute();
    if (held.length === 0) return 0;
    const ids = held.map(({ room }) => room);
    // In the order in which appends lock them.
    const rooms = await db
      .selectFrom('room')
      .select(['id', 'room_hash'])
      .where('id', 'in', ids)
      .orderBy('id')
      .forUpdate()
      .execute();
    const still = await db.selectFrom('node').select('name').where('name', '=', node).where('seen', '=', beat).execute();
    if (still.length === 0) return 0;
    const released = await db
      .updateTable('member')
      .set({ holder: null, away_since: now })
      .where('room', 'in', ids)
      .where(its)
      .returning('room')
      .execute();
    const changed = new Set(released.map(({ room }) => room));
    const news = rooms.filter(({ id }) => changed.has(id)).map(({ room_hash: room }) => ({ kind: 'seats', room }) as const);
    await tellAll(db, news);
    return held.length;
  });
}
