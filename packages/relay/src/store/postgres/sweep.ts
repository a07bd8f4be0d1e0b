import type { Kysely } from 'kysely';
import type { Schema } from '../../database/schema.ts';
import type { StoreLimits } from '../store.ts';
import { deleteRoom } from './delete-room.ts';
import { tell } from './news.ts';

/** A relay that has not said so for this long is dead. */
const NODE_ALIVE_MS = 10_000;
const KNOWN_BEYOND_FLOOR = 4096;

interface Swept {
  /** Last place of the room's log: news of it may have been lost. */
  head: number;
  expired: boolean;
  /** Seats given up because their member was away for too long. */
  gone: string[];
}

/** Brings one room up to date with the time, with what members received, and with relays that died. */
export async function sweepRoom(
  queries: Kysely<Schema>,
  name: string,
  receipts: readonly [seat: string, upTo: number][],
  now: number,
  { retentionMs }: StoreLimits,
): Promise<Swept> {
  return queries.transaction().execute(async (db) => {
    const room = await db.selectFrom('room').selectAll().where('room_hash', '=', name).forUpdate().executeTakeFirst();
    if (!room) return { head: 0, expired: false, gone: [] };
    for (const [seat, upTo] of receipts) {
      const newer = db.updateTable('member').set({ recv_seq: Math.min(upTo, room.head_seq) });
      await newer.where('room', '=', room.id).where('seat', '=', seat).where('recv_seq', '<', upTo).execute();
    }
    const alive = new Set(
      (
        await db
          .selectFrom('node')
          .select('name')
          .where('seen', '>', now - NODE_ALIVE_MS)
          .execute()
      ).map((node) => node.name),
    );
    const members = await db.selectFrom('member').selectAll().where('room', '=', room.id).execute();
    const orphaned = members.filter(({ holder }) => holder !== null && !alive.has(holder.split('.')[0]!));
    const gone = members.filter(({ holder, away_since }) => holder === null && away_since + retentionMs <= now);
    for (const { seat } of orphaned) {
      const away = db.updateTable('member').set({ holder: null, away_since: now });
      await away.where('room', '=', room.id).where('seat', '=', seat).execute();
    }
    for (const { seat } of gone) await db.deleteFrom('member').where('room', '=', room.id).where('seat', '=', seat).execute();
    if (orphaned.length + gone.length > 0) await tell(db, { kind: 'seats', room: name });
    const left = members.filter((member) => !gone.includes(member));
    const emptySince = left.length === 0 && gone.length > 0 ? now : room.empty_since;
    if (left.length === 0 && emptySince + retentionMs <= now) {
      await deleteRoom(db, room.id);
      await tell(db, { kind: 'ended', room: name, reason: 'expired' });
      return { head: room.head_seq, expired: true, gone: gone.map(({ seat }) => seat) };
    }
    const received = Math.min(room.head_seq, ...left.map(({ recv_seq }) => recv_seq));
    const floor = Math.max(room.floor_seq, received, await expiredUpTo(db, room.id, now - retentionMs));
    if (floor > room.floor_seq) {
      await db.deleteFrom('segment').where('room', '=', room.id).where('last_seq', '<=', floor).execute();
      const forgotten = Math.min(floor, room.head_seq - KNOWN_BEYOND_FLOOR);
      await db.deleteFrom('identity').where('room', '=', room.id).where('seq', '<=', forgotten).execute();
    }
    const changes = { floor_seq: floor, empty_since: emptySince, due: now + retentionMs };
    await db.updateTable('room').set(changes).where('id', '=', room.id).execute();
    return { head: room.head_seq, expired: false, gone: gone.map(({ seat }) => seat) };
  });
}

async function expiredUpTo(db: Kysely<Schema>, room: number, before: number): Promise<number> {
  const row = await db
    .selectFrom('segment')
    .select((eb) => eb.fn.max('last_seq').as('last'))
    .where('room', '=', room)
    .where('ts', '<', before)
    .executeTakeFirst();
  return row?.last ?? 0;
}
