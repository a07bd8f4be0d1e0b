import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../database/schema.ts';

/** What relays tell each other about a room. */
export type News =
  | { kind: 'frames'; room: string; head: number }
  | { kind: 'seats'; room: string }
  | { kind: 'renewed'; room: string }
  | { kind: 'ended'; room: string; reason: 'ended' | 'expired' }
  | { kind: 'transient'; room: string; node: string; items: Buffer }
  /** Transient frames too large for a notification: they wait in a table. */
  | { kind: 'stored'; room: string; node: string; id: number };

/** A notification takes less than 8000 bytes. */
const MAX_PAYLOAD = 7900;

export function writePayload(news: News): string {
  const fields = { ...news, ...('items' in news && { items: news.items.toString('base64') }) };
  return JSON.stringify(fields);
}

/** Undefined for a payload of another version of the relay. */
export function parseNews(payload: string): News | undefined {
  try {
    const news = JSON.parse(payload);
    return news.kind === 'transient' ? { ...news, items: Buffer.from(news.items, 'base64') } : news;
  } catch {
    return undefined;
  }
}

/** Tells every relay, within the transaction if there is one. */
export const tell = (db: Kysely<Schema>, news: News): Promise<void> => tellAll(db, [news]);

export async function tellAll(db: Kysely<Schema>, news: readonly News[]): Promise<void> {
  if (news.length === 0) return;
  await sql`SELECT pg_notify('qsec2_relay', payload) FROM unnest(${news.map(writePayload)}::text[]) AS payload`.execute(db);
}

/** Tells transient frames, by way of a table when they are large. */
export async function writeNews(db: Kysely<Schema>, news: News & { kind: 'transient' }, now: number): Promise<void> {
  if (writePayload(news).length < MAX_PAYLOAD) {
    await tell(db, news);
    return;
  }
  const { id } = await db
    .insertInto('transient')
    .values({ ts: now, items: news.items })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tell(db, { kind: 'stored', room: news.room, node: news.node, id });
}
