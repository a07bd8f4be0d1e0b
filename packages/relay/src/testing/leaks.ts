import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import { query } from './query.ts';
import { byteForms, findSecrets } from './secret-scan.ts';

/** Where sealed bodies are kept, and nothing else is: `table.column`. */
const SEALED = ['segment.items', 'transient.items'];

/** Everything relays have after a run. */
export interface Traces {
  /** Their data folders. */
  folders: readonly string[];
  /** A PostgreSQL or Redis they share. */
  database?: string;
  /** What they wrote to the terminal, their metrics, their status pages. */
  said: readonly string[];
}

/** What must not be found, by what it is. */
export interface Forbidden {
  /** In nothing at all: names, addresses, secrets that the relay was shown. */
  anywhere: ReadonlyMap<string, Uint8Array>;
  /** In nothing but sealed bodies. */
  outsideBodies: ReadonlyMap<string, Uint8Array>;
}

/** A part of what a relay has. */
interface Part {
  place: string;
  bytes: Buffer;
  /** Bodies belong here. */
  sealed: boolean;
}

/** What relays have and should not, one line each: what it is, how it is written, and where. */
export async function findLeaks({ folders, database, said }: Traces, { anywhere, outsideBodies }: Forbidden): Promise<string[]> {
  const parts: Part[] = said.map((text, i) => ({ place: `what was said (${i})`, bytes: Buffer.from(text), sealed: false }));
  for (const folder of folders) parts.push(...(await partsOfFolder(folder)));
  if (database) parts.push(...(await partsOfDatabase(database)));
  const leaks = parts.flatMap(({ place, bytes, sealed }) => {
    const sought = sealed ? anywhere : new Map([...anywhere, ...outsideBodies]);
    return findSecrets([bytes], sought, byteForms).map(({ secret, form }) => `${secret} (${form}) in ${place}`);
  });
  return [...new Set(leaks)];
}

/** Files as they are, freed pages and logs of a database included; and what stands in its tables. */
async function partsOfFolder(folder: string): Promise<Part[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const parts: Part[] = [];
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const place = relative(folder, path);
    const database = /\.db(-wal|-shm|-journal)?$/.test(place);
    parts.push({ place: 'names of files', bytes: Buffer.from(place), sealed: false });
    // The relay runs, and removes what nobody needs any more.
    const bytes = await readFile(path).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (bytes) parts.push({ place, bytes, sealed: database || place.startsWith('blobs') });
    if (place.endsWith('.db')) parts.push(...partsOfSqlite(path));
  }
  return parts;
}

function partsOfSqlite(file: string): Part[] {
  const db = new Database(file, { readonly: true });
  try {
    const tables = db.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all() as string[];
    return tables.flatMap((table) => partsOfTable(table, db.prepare(`SELECT * FROM "${table}"`).all()));
  } finally {
    db.close();
  }
}

function partsOfDatabase(url: string): Promise<Part[]> {
  return url.startsWith('redis') ? partsOfRedis(url) : partsOfPostgres(url);
}

async function partsOfPostgres(url: string): Promise<Part[]> {
  const tables = await query(url, `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`);
  const parts: Part[] = [];
  for (const { name } of tables as { name: string }[])
    parts.push(...partsOfTable(name, await query(url, `SELECT * FROM "${name}"`)));
  return parts;
}

/** Column by column, so that one can be told from another. */
function partsOfTable(table: string, rows: readonly unknown[]): Part[] {
  const columns = new Map<string, Buffer[]>();
  for (const row of rows as Record<string, unknown>[]) {
    for (const [column, value] of Object.entries(row)) {
      const values = columns.get(column) ?? [];
      columns.set(column, values);
      values.push(Buffer.isBuffer(value) ? value : Buffer.from(String(value)), Buffer.from('\n'));
    }
  }
  return [...columns].map(([column, values]) => {
    const place = `${table}.${column}`;
    return { place, bytes: Buffer.concat(values), sealed: SEALED.includes(place) };
  });
}

/** Names and contents of all keys; the items of a room's stream are the sealed bodies. */
async function partsOfRedis(url: string): Promise<Part[]> {
  const redis = new Redis(url);
  try {
    const parts: Part[] = [];
    for (const key of await redis.keys('*')) {
      const contents = await contentsOf(redis, key);
      const place = key.replace(/^qsec2:room:[\w-]+/, 'room');
      parts.push({ place: 'names of keys', bytes: Buffer.from(key), sealed: false });
      parts.push({ place, bytes: Buffer.concat(contents.map(Buffer.from)), sealed: key.endsWith(':log') });
    }
    return parts;
  } finally {
    redis.disconnect();
  }
}

async function contentsOf(redis: Redis, key: string): Promise<Buffer[]> {
  switch (await redis.type(key)) {
    case 'hash':
      return redis.callBuffer('HGETALL', key) as Promise<Buffer[]>;
    case 'set':
      return redis.callBuffer('SMEMBERS', key) as Promise<Buffer[]>;
    case 'zset':
      return redis.callBuffer('ZRANGE', key, 0, -1, 'WITHSCORES') as Promise<Buffer[]>;
    case 'stream':
      return ((await redis.callBuffer('XRANGE', key, '-', '+')) as [Buffer, Buffer[]][]).flatMap(([id, fields]) => [
        id,
        ...fields,
      ]);
    case 'string':
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'none':
      return [];
    default:
      throw new Error(`what kind of key is ${key}?`);
  }
}
