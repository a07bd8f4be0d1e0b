import type { Kysely } from 'kysely';
import type { EventRow, Schema } from '../database/schema.ts';
import type { EventSink, RelayEvent } from './recorder.ts';

export interface EventQuery {
  /** Keyed hash of a room. */
  room?: string;
  /** Only events after this one. */
  after?: number;
  limit?: number;
}

/** The event log in the database: the same statements in SQLite and PostgreSQL. */
export class EventLog implements EventSink {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async write(events: readonly RelayEvent[]): Promise<void> {
    await this.#db.insertInto('event').values(events.map(toRow)).execute();
  }

  /** Events in the order in which they were written, oldest first; without `after`, the latest ones. */
  async read({ room, after, limit = 1000 }: EventQuery): Promise<EventRow[]> {
    let query = this.#db.selectFrom('event').selectAll().limit(limit);
    if (room !== undefined) query = query.where('room_hash', '=', room);
    if (after !== undefined) return query.where('id', '>', after).orderBy('id').execute();
    return (await query.orderBy('id', 'desc').execute()).reverse();
  }

  /** Deletes events older than `before`. */
  async prune(before: number): Promise<void> {
    await this.#db.deleteFrom('event').where('ts', '<', before).execute();
  }

  async lastTime(): Promise<number> {
    const row = await this.#db
      .selectFrom('event')
      .select((eb) => eb.fn.max('ts').as('last'))
      .executeTakeFirst();
    return Number(row?.last ?? 0);
  }
}

function toRow({ ts, kind, room, actor, n, bytes, firstSeq, lastSeq }: RelayEvent) {
  return {
    ts,
    kind,
    room_hash: room ?? null,
    actor_hash: actor ?? null,
    n: n ?? null,
    bytes: bytes ?? null,
    first_seq: firstSeq ?? null,
    last_seq: lastSeq ?? null,
    detail: null,
  };
}
