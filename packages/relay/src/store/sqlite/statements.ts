import type { CompiledQuery } from 'kysely';
import { prepared, type SqliteDatabase } from './database.ts';

export interface RoomRow {
  id: number;
  epoch: string;
  token_hash: Buffer;
  end_token_hash: Buffer;
  capacity: number;
  head_seq: number;
  floor_seq: number;
  empty_since: number;
}

export interface MemberRow {
  seat: string;
  secret_hash: Buffer;
  away_since: number;
  recv_seq: number;
}

export interface SegmentRow {
  first_seq: number;
  last_seq: number;
  ts: number;
  items: Buffer;
}

/** The value of a parameter that is bound when the statement runs. */
const number = 0;
const text = '';
const bytes = new Uint8Array(0);

/** Prepares every statement of the journal. Parameters are bound in the order in which they stand here. */
export function prepareStatements(db: SqliteDatabase) {
  const q = db.queries;
  const run = (query: { compile(): CompiledQuery }) => prepared(db, query.compile());
  const rows = <Row>(query: { compile(): CompiledQuery }) => prepared<Row>(db, query.compile());
  return {
    insertRoom: run(
      q.insertInto('room').values({
        room_hash: text,
        epoch: text,
        token_hash: bytes,
        end_token_hash: bytes,
        capacity: number,
        created: number,
        head_seq: number,
        floor_seq: number,
        empty_since: number,
        due: number,
      }),
    ),
    room: rows<RoomRow>(
      q
        .selectFrom('room')
        .select(['id', 'epoch', 'token_hash', 'end_token_hash', 'capacity', 'head_seq', 'floor_seq', 'empty_since'])
        .where('room_hash', '=', text),
    ),
    saveRoom: run(
      q
        .updateTable('room')
        .set({ head_seq: number, floor_seq: number, empty_since: number, due: number })
        .where('id', '=', number),
    ),
    saveEpoch: run(q.updateTable('room').set({ epoch: text }).where('id', '=', number)),
    deleteRoom: run(q.deleteFrom('room').where('id', '=', number)),
    dueRooms: rows<{ room_hash: string }>(
      q.selectFrom('room').select('room_hash').where('due', '<=', number).orderBy('due').limit(1),
    ),
    members: rows<MemberRow>(
      q.selectFrom('member').select(['seat', 'secret_hash', 'away_since', 'recv_seq']).where('room', '=', number),
    ),
    saveMember: run(
      q
        .insertInto('member')
        .values({ room: number, seat: text, secret_hash: bytes, away_since: number, recv_seq: number })
        .onConflict((conflict) =>
          conflict.columns(['room', 'seat']).doUpdateSet((eb) => ({
            away_since: eb.ref('excluded.away_since'),
            recv_seq: eb.ref('excluded.recv_seq'),
          })),
        ),
    ),
    deleteMember: run(q.deleteFrom('member').where('room', '=', number).where('seat', '=', text)),
    deleteMembers: run(q.deleteFrom('member').where('room', '=', number)),
    insertSegment: run(
      q.insertInto('segment').values({ room: number, first_seq: number, last_seq: number, ts: number, items: bytes }),
    ),
    segments: rows<SegmentRow>(
      q.selectFrom('segment').select(['first_seq', 'last_seq', 'ts', 'items']).where('room', '=', number).orderBy('first_seq'),
    ),
    segment: rows<Pick<SegmentRow, 'items'>>(
      q.selectFrom('segment').select('items').where('room', '=', number).where('first_seq', '=', number),
    ),
    deleteSegments: run(q.deleteFrom('segment').where('room', '=', number).where('first_seq', '<', number)),
    counts: rows<{ rooms: number; seats: number }>(
      q.selectNoFrom((eb) => [
        eb
          .selectFrom('room')
          .select((inner) => inner.fn.countAll<number>().as('n'))
          .as('rooms'),
        eb
          .selectFrom('member')
          .select((inner) => inner.fn.countAll<number>().as('n'))
          .as('seats'),
      ]),
    ),
    // A restart: nobody is connected, and everyone gets the whole retention time to come back.
    allAway: run(q.updateTable('member').set({ away_since: number })),
    allDue: run(q.updateTable('room').set({ due: number, empty_since: number })),
    lastTime: rows<{ last: number | null }>(q.selectFrom('event').select((eb) => eb.fn.max('ts').as('last'))),
  };
}

export type Statements = ReturnType<typeof prepareStatements>;
