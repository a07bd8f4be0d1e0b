import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodePushes } from '@qsec2/sdk/wire';
import { steadyClock } from '../clock.ts';
import { parseInteger } from '../config/units.ts';
import { frameFromPush } from '../frames/item.ts';
import { parsePushes } from '../frames/parse-pushes.ts';
import { LocalStore } from '../store/local/local-store.ts';
import { MemoryJournal } from '../store/local/memory-journal.ts';
import { migrateSqlite, openSqlite } from '../store/sqlite/database.ts';
import { DatabaseFiles } from '../store/sqlite/database-files.ts';
import { SqliteJournal } from '../store/sqlite/sqlite-journal.ts';
import type { AppendRequest } from '../store/store.ts';
import { type Command, UsageError } from './run.ts';

const MODES = ['memory', 'wal', 'fsync'] as const;
const BATCHES = [1, 16, 128];
const BODY_BYTES = 1024;
const LIMITS = { retentionMs: 600_000, maxRooms: 10, roomBytes: 64 * 2 ** 20, roomFrames: 65_536 };

interface Measured {
  durability: (typeof MODES)[number];
  framesPerCommit: number;
  framesPerSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Measures, in the data folder's own disk, what a commit costs in each durability: what the relay waits for before it acknowledges. */
export const bench: Command = async (settings, args) => {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '1' }, json: { type: 'boolean' } } });
  const seconds = parseInteger(values.seconds);
  if (!seconds) throw new UsageError('--seconds expects a number above 0');
  const folder = mkdtempSync(join(settings.dataDir, 'bench-'));
  try {
    for (const durability of MODES) {
      for (const framesPerCommit of BATCHES) {
        const measured = await measure(
          join(folder, `${durability}-${framesPerCommit}.db`),
          durability,
          framesPerCommit,
          seconds * 1000,
        );
        console.log(values.json ? JSON.stringify(measured) : line(measured));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
};

async function measure(
  file: string,
  durability: Measured['durability'],
  framesPerCommit: number,
  forMs: number,
): Promise<Measured> {
  const db = openSqlite({ file, fsync: durability === 'fsync' });
  await migrateSqlite(db);
  const clock = steadyClock();
  const journal =
    durability === 'memory'
      ? new MemoryJournal()
      : new SqliteJournal(db, new DatabaseFiles(db), durability, clock.now(), LIMITS.retentionMs);
  const store = new LocalStore(journal, clock, LIMITS, { ended() {}, gone() {}, failed() {} });
  const seat = randomBytes(16).toString('base64url');
  await store.create('room', { tokenHash: Buffer.alloc(32), endTokenHash: Buffer.alloc(32), capacity: 2 });
  await store.takeSeat('room', { seat, secretHash: Buffer.alloc(32), holder: 'bench' });
  const times: number[] = [];
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    const requests = framesOf(seat, framesPerCommit);
    const started = performance.now();
    const places = await store.append(requests);
    times.push(performance.now() - started);
    store.received('room', seat, places.at(-1) ?? 0);
  }
  await store.close();
  await db.close();
  times.sort((a, b) => a - b);
  const total = times.reduce((sum, time) => sum + time, 0);
  const at = (quantile: number) => times[Math.floor((times.length - 1) * quantile)]!;
  const framesPerSecond = Math.round((times.length * framesPerCommit * 1000) / total);
  return { durability, framesPerCommit, framesPerSecond, p50: at(0.5), p99: at(0.99) };
}

function framesOf(seat: string, count: number): AppendRequest[] {
  const bytes = Buffer.from(
    encodePushes(Array.from({ length: count }, () => ({ cid: randomBytes(16), body: Buffer.alloc(BODY_BYTES) }))),
  );
  const sender = Buffer.from(seat, 'base64url');
  return parsePushes(bytes)!.map((view) => ({ room: 'room', frame: frameFromPush(bytes, view, sender, seat, 0) }));
}

function line({ durability, framesPerCommit, framesPerSecond, p50, p99 }: Measured): string {
  const each = `${framesPerCommit} a commit`.padEnd(14);
  return `${durability.padEnd(8)}${each}${String(framesPerSecond).padStart(8)} frames/s   p50 ${p50.toFixed(3)} ms   p99 ${p99.toFixed(3)} ms`;
}
