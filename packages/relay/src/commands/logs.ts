import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseInteger } from '../config/units.ts';
import type { EventRow } from '../database/schema.ts';
import { EventLog } from '../events/event-log.ts';
import { Hasher } from '../hashes.ts';
import { pepperOf } from '../pepper.ts';
import { openDatabase } from '../storage.ts';
import { type Command, UsageError } from './run.ts';

const LOOK_AGAIN_MS = 500;

/** Shows the event log, of one room or of all; with `--follow` it goes on until interrupted. */
export const logs: Command = async (settings, args) => {
  const { values } = parseArgs({
    args,
    options: { room: { type: 'string' }, follow: { type: 'boolean' }, json: { type: 'boolean' }, limit: { type: 'string' } },
  });
  const limit = parseInteger(values.limit ?? '100');
  if (!limit) throw new UsageError('--limit expects a number above 0');
  const room = values.room === undefined ? undefined : roomHash(values.room, new Hasher(pepperOf(settings)));
  const database = await openDatabase(settings, () => {});
  const log = new EventLog(database.queries);
  const filter = room === undefined ? {} : { room };
  const show = values.json ? (row: EventRow) => JSON.stringify(asObject(row)) : asLine;
  let stopped = false;
  process.once('SIGINT', () => {
    stopped = true;
  });
  try {
    let rows = await log.read({ ...filter, limit });
    let last = 0;
    for (;;) {
      for (const row of rows) console.log(show(row));
      last = rows.at(-1)?.id ?? last;
      if (!values.follow || stopped) return 0;
      if (rows.length === 0) await sleep(LOOK_AGAIN_MS);
      rows = await log.read({ ...filter, after: last });
    }
  } finally {
    await database.close();
  }
};

/**
 * A room as it stands in the log. People have the id their members see; the log and `rooms` show `#` and a hash of it.
 */
export function roomHash(id: string, hasher: Hasher): string {
  return id.startsWith('#') ? id.slice(1) : hasher.name('room', id);
}

function asObject({ id, ts, kind, room_hash, actor_hash, n, bytes, first_seq, last_seq }: EventRow) {
  const all = {
    id,
    time: new Date(Number(ts)).toISOString(),
    kind,
    room: room_hash,
    actor: actor_hash,
    n,
    bytes,
    firstSeq: first_seq,
    lastSeq: last_seq,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

function asLine(row: EventRow): string {
  const { time, kind, room, actor, n, bytes, firstSeq, lastSeq } = asObject(row) as Record<string, string | number | undefined>;
  const parts = [time, String(kind).padEnd(22), room === undefined ? '' : `#${room}`];
  if (actor !== undefined) parts.push(`by ${actor}`);
  if (kind === 'frames-relayed') parts.push(`${n} frames, ${bytes} bytes, ${firstSeq}–${lastSeq}`);
  else if (n !== undefined) parts.push(`${n} ${kind === 'room-created' ? 'seats' : 'members'}`);
  return parts.join('  ').trimEnd();
}
