import type pg from 'pg';
import { type Frame, joinItems, place } from '../../frames/item.ts';
import { type AppendRequest, NO_SUCH_ROOM, type StoreLimits } from '../store.ts';
import { type Query, renewForgotten } from './incarnation.ts';
import { NOTIFY } from './listener.ts';
import { writePayload } from './news.ts';

/** A room that is locked for the length of the transaction. */
interface Locked {
  id: number;
  room_hash: string;
  head_seq: number;
  floor_seq: number;
  epoch: string;
}

export interface AppendOptions {
  /** Milliseconds since 1970. */
  now: number;
  limits: StoreLimits;
  /** A commit does not wait for the disk. */
  forgetful: boolean;
}

/**
 * Places the frames of one tick in one transaction: a few statements, however many rooms and frames. Rooms are locked in the
 * order of their numbers, so that two relays never wait for each other.
 */
export async function appendFrames(
  pool: pg.Pool,
  requests: readonly AppendRequest[],
  { now, limits, forgetful }: AppendOptions,
): Promise<{ places: number[]; placed: Map<string, Frame[]>; epochs: Map<string, string> }> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('BEGIN');
    const query: Query = async (statement, values) => (await client.query(statement, values)).rows;
    const renewed = forgetful && (await renewForgotten(query, [...new Set(requests.map(({ room }) => room))]));
    const result = renewed ? undefined : await appendLocked(client, requests, now, limits);
    await client.query('COMMIT');
    // What members know of the places does not hold: they push again when they know the new epoch.
    if (!result) throw new Error('the room has a new epoch');
    return result;
  } catch (error) {
    failure = error instanceof Error ? error : new Error('append failed');
    throw error;
  } finally {
    // A connection in an unknown state is thrown away; the server rolls back what it had begun.
    client.release(failure);
  }
}

async function appendLocked(client: pg.PoolClient, requests: readonly AppendRequest[], now: number, limits: StoreLimits) {
  const rooms = await lockRooms(client, requests);
  const members = await senders(client, rooms);
  const known = await identities(client, rooms, requests);
  const placed = new Map<string, Frame[]>();
  const places = requests.map(({ room, frame }) => {
    const locked = rooms.get(room);
    if (!locked || !members.has(`${locked.id}.${frame.from}`)) return NO_SUCH_ROOM;
    const id = `${locked.id}.${frame.from}${frame.cid}`;
    const first = known.get(id);
    if (first !== undefined) return first;
    place(frame, ++locked.head_seq);
    known.set(id, frame.seq);
    const list = placed.get(room);
    if (list) list.push(frame);
    else placed.set(room, [frame]);
    return frame.seq;
  });
  if (placed.size > 0) {
    await write(client, rooms, placed, now);
    await keepWithin(client, rooms, placed, limits);
    const payloads = [...placed].map(([room, frames]) => writePayload({ kind: 'frames', room, head: frames.at(-1)!.seq }));
    await client.query(NOTIFY, [payloads]);
  }
  return { places, placed, epochs: new Map([...rooms].map(([room, { epoch }]) => [room, epoch])) };
}

async function lockRooms(client: pg.PoolClient, requests: readonly AppendRequest[]): Promise<Map<string, Locked>> {
  const names = [...new Set(requests.map(({ room }) => room))];
  const { rows } = await client.query<Locked>(
    'SELECT id, room_hash, head_seq, floor_seq, epoch FROM room WHERE room_hash = ANY($1) ORDER BY id FOR UPDATE',
    [names],
  );
  return new Map(rows.map((row) => [row.room_hash, row]));
}

async function senders(client: pg.PoolClient, rooms: Map<string, Locked>): Promise<Set<string>> {
  const ids = [...rooms.values()].map(({ id }) => id);
  const { rows } = await client.query<{ room: number; seat: string }>('SELECT room, seat FROM member WHERE room = ANY($1)', [
    ids,
  ]);
  return new Set(rows.map(({ room, seat }) => `${room}.${seat}`));
}

/** Places of the pushes that were taken before. */
async function identities(client: pg.PoolClient, rooms: Map<string, Locked>, requests: readonly AppendRequest[]) {
  const wanted = requests.flatMap(({ room, frame }) => {
    const locked = rooms.get(room);
    return locked ? [{ room: locked.id, id: Buffer.from(frame.from + frame.cid, 'latin1') }] : [];
  });
  const { rows } = await client.query<{ room: number; id: Buffer; seq: number }>(
    'SELECT room, id, seq FROM identity WHERE (room, id) IN (SELECT * FROM unnest($1::bigint[], $2::bytea[]))',
    [wanted.map(({ room }) => room), wanted.map(({ id }) => id)],
  );
  return new Map(rows.map(({ room, id, seq }) => [`${room}.${id.toString('latin1')}`, seq]));
}

async function write(
  client: pg.PoolClient,
  rooms: Map<string, Locked>,
  placed: Map<string, Frame[]>,
  now: number,
): Promise<void> {
  const segments = [...placed].map(([room, frames]) => ({ id: rooms.get(room)!.id, frames }));
  const ids = segments.map(({ id }) => id);
  const lasts = segments.map(({ frames }) => frames.at(-1)!.seq);
  await client.query(
    `WITH added AS (INSERT INTO segment (room, first_seq, last_seq, ts, items)
       SELECT room, first, last, $5, items FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS s(room, first, last, items))
     UPDATE room SET head_seq = s.last FROM unnest($1::bigint[], $3::bigint[]) AS s(id, last) WHERE room.id = s.id`,
    [ids, segments.map(({ frames }) => frames[0]!.seq), lasts, segments.map(({ frames }) => joinItems(frames)), now],
  );
  const all = segments.flatMap(({ id, frames }) => frames.map((frame) => ({ id, frame })));
  await client.query('INSERT INTO identity (room, id, seq) SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[])', [
    all.map(({ id }) => id),
    all.map(({ frame }) => Buffer.from(frame.from + frame.cid, 'latin1')),
    all.map(({ frame }) => frame.seq),
  ]);
}

/** Gives up the oldest segments of rooms whose mailbox is full. */
async function keepWithin(client: pg.PoolClient, rooms: Map<string, Locked>, placed: Map<string, Frame[]>, limits: StoreLimits) {
  const ids = [...placed.keys()].map((room) => rooms.get(room)!.id);
  const { rows } = await client.query<{ room: number; last: number }>(
    `DELETE FROM segment USING (
       SELECT room, first_seq, sum(length(items)) OVER later AS bytes, max(last_seq) OVER later - first_seq AS frames
       FROM segment WHERE room = ANY($1) WINDOW later AS (PARTITION BY room ORDER BY first_seq DESC)
     ) AS kept
     WHERE segment.room = kept.room AND segment.first_seq = kept.first_seq AND (kept.bytes > $2 OR kept.frames >= $3)
     RETURNING segment.room, segment.last_seq AS last`,
    [ids, limits.roomBytes, limits.roomFrames],
  );
  for (const { room, last } of rows) {
    await client.query('UPDATE room SET floor_seq = greatest(floor_seq, $2) WHERE id = $1', [room, last]);
  }
}
