import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../../database/schema.ts';
import type { StoreLimits } from '../store.ts';
import { deleteRooms } from './delete-rooms.ts';
import { type News, tellAll } from './news.ts';

/** A relay that took rooms to sweep them, and died, leaves them to others after so long. */
const CLAIM_MS = 10_000;
const KNOWN_BEYOND_FLOOR = 4096;

/** Seats of a room with the last place each has received. */
export type RoomReceipts = readonly [seat: string, upTo: number][];

export interface Swept {
  room: string;
  /** Last place of the room's log: news of it may have been lost. */
  head: number;
  expired: boolean;
  /** Seats given up because their member was away for too long. */
  gone: string[];
}

/** Rooms that are due, which are not due again for a while: each is swept by one relay. */
export async function takeDue(queries: Kysely<Schema>, now: number, count: number): Promise<string[]> {
  const due = queries.selectFrom('room').select('id').where('due', '<=', now).orderBy('due').limit(count);
  const rows = await queries
    .updateTable('room')
    .set({ due: now + CLAIM_MS })
    .where('id', 'in', due.forUpdate().skipLocked())
    .returning('room_hash')
    .execute();
  return rows.map(({ room_hash }) => room_hash);
}

interface Room {
  id: number;
  room_hash: string;
  head_seq: number;
  floor_seq: number;
  empty_since: number;
  due: number;
}

interface Member {
  room: number;
  seat: string;
  holder: string | null;
  away_since: number;
  recv_seq: number;
}

interface Frames {
  room: number;
  /** Last place of what is too old; null when nothing is. */
  expired: number | null;
  /** When the oldest that is not was taken; null when there is none. */
  oldest: number | null;
}

export interface SweepOptions {
  /** Milliseconds since 1970. */
  now: number;
  limits: StoreLimits;
  /** The rooms were taken because they are due. */
  taken: boolean;
}

/**
 * Brings rooms up to date with the time and with what members received: a few statements in one transaction, however many rooms. They are
 * locked in the order of their numbers, as appends do it.
 */
export async function sweepRooms(
  queries: Kysely<Schema>,
  rooms: ReadonlyMap<string, RoomReceipts>,
  { now, limits: { retentionMs }, taken }: SweepOptions,
): Promise<Swept[]> {
  return queries.transaction().execute(async (db) => {
    const locked = await rowsOf<Room>(
      db,
      sql`SELECT id, room_hash, head_seq, floor_seq, empty_since, due FROM room WHERE room_hash = ANY(${[...rooms.keys()]}::text[]) ORDER BY id FOR UPDATE`,
    );
    if (locked.length === 0) return [];
    const ids = locked.map(({ id }) => id);
    await writeReceipts(db, locked, rooms);
    const members = await rowsOf<Member>(
      db,
      sql`SELECT room, seat, holder, away_since, recv_seq FROM member WHERE room = ANY(${ids}::bigint[])`,
    );
    const released = await releaseUnknown(db, members, now);
    const frames = await rowsOf<Frames>(
      db,
      sql`SELECT room, max(last_seq) FILTER (WHERE ts <= ${now - retentionMs}) AS expired, min(ts) FILTER (WHERE ts > ${now - retentionMs}) AS oldest
          FROM segment WHERE room = ANY(${ids}::bigint[]) GROUP BY room`,
    );
    const membersOf = new Map<number, Member[]>(ids.map((id) => [id, []]));
    for (const member of members) membersOf.get(member.room)!.push(member);
    const framesOf = new Map(frames.map((each) => [each.room, each]));
    const verdicts = locked.map((room) => judge(room, membersOf.get(room.id)!, framesOf.get(room.id), now, retentionMs));
    await write(db, verdicts, taken);
    await tellAll(
      db,
      verdicts.flatMap((verdict) => newsOf(verdict, released.has(verdict.room.id))),
    );
    return verdicts.map(({ room, expired, gone }) => ({ room: room.room_hash, head: room.head_seq, expired, gone }));
  });
}

async function writeReceipts(
  db: Transaction<Schema>,
  locked: readonly Room[],
  rooms: ReadonlyMap<string, RoomReceipts>,
): Promise<void> {
  const receipts = locked.flatMap(({ id, room_hash, head_seq }) =>
    rooms.get(room_hash)!.map(([seat, upTo]) => ({ id, seat, upTo: Math.min(upTo, head_seq) })),
  );
  if (receipts.length === 0) return;
  const columns = [receipts.map(({ id }) => id), receipts.map(({ seat }) => seat), receipts.map(({ upTo }) => upTo)];
  await sql`UPDATE member SET recv_seq = r.up_to
    FROM unnest(${columns[0]}::bigint[], ${columns[1]}::text[], ${columns[2]}::bigint[]) AS r(room, seat, up_to)
    WHERE member.room = r.room AND member.seat = r.seat AND recv_seq < r.up_to`.execute(db);
}

/**
 * Those of relays that nobody knows, and that nobody will find dead, are away from now on.
 *
 * @returns their rooms.
 */
async function releaseUnknown(db: Transaction<Schema>, members: Member[], now: number): Promise<Set<number>> {
  const released = new Set<number>();
  const held = members.filter(({ holder }) => holder !== null);
  if (held.length === 0) return released;
  const known = new Set((await db.selectFrom('node').select('name').execute()).map(({ name }) => name));
  for (const member of held) {
    if (known.has(member.holder!.split('.')[0]!)) continue;
    member.holder = null;
    member.away_since = now;
    released.add(member.room);
    const away = db.updateTable('member').set({ holder: null, away_since: now });
    await away.where('room', '=', member.room).where('seat', '=', member.seat).execute();
  }
  return released;
}

interface Verdict {
  room: Room;
  gone: string[];
  expired: boolean;
  floor: number;
  emptySince: number;
  due: number;
}

function judge(room: Room, members: readonly Member[], frames: Frames | undefined, now: number, retentionMs: number): Verdict {
  const away = members.filter(({ holder }) => holder === null);
  const gone = away.filter(({ away_since }) => away_since + retentionMs <= now);
  const left = members.filter((member) => !gone.includes(member));
  const emptySince = left.length === 0 && gone.length > 0 ? now : room.empty_since;
  const received = Math.min(room.head_seq, ...left.map(({ recv_seq }) => recv_seq));
  const times = [
    ...(left.length === 0 ? [emptySince] : left.filter(({ holder }) => holder === null).map(({ away_since }) => away_since)),
    ...(typeof frames?.oldest === 'number' ? [frames.oldest] : []),
  ];
  return {
    room,
    gone: gone.map(({ seat }) => seat),
    expired: left.length === 0 && emptySince + retentionMs <= now,
    floor: Math.max(room.floor_seq, received, frames?.expired ?? 0),
    emptySince,
    // Nothing that happens from now on can be due earlier than the retention time from now.
    due: Math.min(now, ...times) + retentionMs,
  };
}

async function write(db: Transaction<Schema>, verdicts: readonly Verdict[], taken: boolean): Promise<void> {
  await deleteRooms(
    db,
    verdicts.filter(({ expired }) => expired).map(({ room }) => room.id),
  );
  const kept = verdicts.filter(({ expired }) => !expired);
  const gone = kept.flatMap(({ room, gone }) => gone.map((seat) => ({ room: room.id, seat })));
  if (gone.length > 0) {
    const columns = [gone.map(({ room }) => room), gone.map(({ seat }) => seat)];
    await sql`DELETE FROM member USING unnest(${columns[0]}::bigint[], ${columns[1]}::text[]) AS g(room, seat)
      WHERE member.room = g.room AND member.seat = g.seat`.execute(db);
  }
  const trimmed = kept.filter(({ room, floor }) => floor > room.floor_seq);
  if (trimmed.length > 0) {
    const ids = trimmed.map(({ room }) => room.id);
    const floors = trimmed.map(({ floor }) => floor);
    const forgotten = trimmed.map(({ room, floor }) => Math.min(floor, room.head_seq - KNOWN_BEYOND_FLOOR));
    await sql`DELETE FROM segment USING unnest(${ids}::bigint[], ${floors}::bigint[]) AS t(room, floor)
      WHERE segment.room = t.room AND segment.last_seq <= t.floor`.execute(db);
    await sql`DELETE FROM identity USING unnest(${ids}::bigint[], ${forgotten}::bigint[]) AS t(room, floor)
      WHERE identity.room = t.room AND identity.seq <= t.floor`.execute(db);
  }
  const changed = kept.filter(
    ({ room, floor, emptySince, due }) => taken || due < room.due || floor > room.floor_seq || emptySince !== room.empty_since,
  );
  if (changed.length === 0) return;
  const ids = changed.map(({ room }) => room.id);
  const floors = changed.map(({ floor }) => floor);
  const empty = changed.map(({ emptySince }) => emptySince);
  // What is due earlier already stays so: it is another relay's turn, or nothing would be gained by another entry in the index.
  const dues = changed.map(({ room, due }) => (taken ? due : Math.min(due, room.due)));
  await sql`UPDATE room SET floor_seq = c.floor, empty_since = c.empty, due = c.due
    FROM unnest(${ids}::bigint[], ${floors}::bigint[], ${empty}::bigint[], ${dues}::bigint[]) AS c(id, floor, empty, due)
    WHERE room.id = c.id`.execute(db);
}

function newsOf({ room: { room_hash: room }, gone, expired }: Verdict, released: boolean): News[] {
  return [
    ...(released || gone.length > 0 ? [{ kind: 'seats', room } as const] : []),
    ...(expired ? [{ kind: 'ended', room, reason: 'expired' } as const] : []),
  ];
}

async function rowsOf<Row>(db: Transaction<Schema>, query: ReturnType<typeof sql>): Promise<Row[]> {
  return (await query.execute(db)).rows as Row[];
}
