import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { undefended } from './testing/attacks/builds.ts';
import { ChildRelay, type Mutant } from './testing/child-relay.ts';
import { newRoom, TestClient } from './testing/client.ts';
import { postgresFolder, redisBinary, startPostgres, startRedis } from './testing/engines.ts';
import { FaultyNetwork } from './testing/history/network.ts';
import { type Forbidden, findLeaks } from './testing/leaks.ts';
import { query } from './testing/query.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

/** The search that every run against real relays ends with: what it looks for must be found when it is there. */

const WORDS = 'behind the old mill';
const NAME = 'Ana of the lighthouse';
const outsideBodies = new Map([['words', Buffer.from(WORDS)]]);
const forbidden: Forbidden = { anywhere: new Map([['name', Buffer.from(NAME)]]), outsideBodies };

/** A relay with two members, one of whom wrote something and stored a file. */
async function conversation(env: Record<string, string> = {}, mutant?: Mutant) {
  const folder = temporaryFolder();
  const relay = await ChildRelay.start(folder, env, mutant);
  afterThisTest(() => relay.stop('SIGKILL'));
  const network = await FaultyNetwork.open(relay.url);
  afterThisTest(() => network.close());
  const [ana, bo] = [new TestClient(network.url), new TestClient(network.url)];
  afterThisTest(() => {
    ana.close();
    bo.close();
  });
  const room = newRoom();
  await Promise.all([ana.connected(), bo.connected()]);
  await ana.create(room);
  for (const member of [ana, bo]) expect((await member.join(room)).ok).toBeDefined();
  ana.push({ text: WORDS });
  await bo.until(() => bo.texts.length === 1);
  const file = { blob: randomBytes(16).toString('base64url'), index: 0, last: true };
  expect((await ana.socket.emitWithAck('blob:put', file, Buffer.from(WORDS))).ok).toBeDefined();
  const traces = async () => ({ folders: [folder], said: await relay.said() });
  return { folder, relay, ana, traces };
}

const PEPPER = { RELAY_PEPPER: 'one pepper for all of these relays' };

const inDatabase = (folder: string, work: (db: Database.Database) => void) => {
  const db = new Database(join(folder, 'relay.db'));
  work(db);
  db.close();
};

describe('the search in what a relay has', () => {
  it('finds nothing after a conversation, sealed bodies aside', async () => {
    const { traces, relay, folder } = await conversation();
    expect(await findLeaks(await traces(), forbidden)).toEqual([]);
    // They are there: as a secret that must be nowhere they are found in the table, in the pages and in the file.
    const strict: Forbidden = { anywhere: outsideBodies, outsideBodies: new Map() };
    const found = (await findLeaks(await traces(), strict)).join('\n');
    for (const place of ['segment.items', 'relay.db', 'blobs']) expect(found).toContain(`in ${place}`);
    await relay.stop('SIGTERM');
    expect(await findLeaks({ folders: [folder], said: relay.output }, forbidden)).toEqual([]);
  });

  it('finds a name and a payload wherever they are planted', async () => {
    const { traces, folder, relay } = await conversation();
    inDatabase(folder, (db) => {
      db.prepare(`INSERT INTO event (ts, kind, detail) VALUES (0, 'x', ?)`).run(Buffer.from(WORDS).toString('base64'));
      db.prepare('UPDATE segment SET items = ?').run(Buffer.from(NAME));
    });
    relay.output.push(`joined: ${NAME}`);
    appendFileSync(join(folder, 'pepper'), WORDS);
    const found = (await findLeaks(await traces(), forbidden)).join('\n');
    const places = [
      'name (raw) in what was said',
      'words (base64) in event.detail',
      'name (raw) in segment.items',
      'words (raw) in pepper',
    ];
    for (const place of places) expect(found).toContain(place);
  });

  it('finds what a relay logs that logs what it hears', async () => {
    const { traces, ana, relay } = await conversation({}, undefended);
    (ana.socket.emit as (event: string) => unknown)(NAME);
    await expect.poll(() => relay.output.join('\n')).toContain(NAME);
    expect(await findLeaks(await traces(), forbidden)).toEqual(['name (raw) in what was said (0)']);
  });

  it.skipIf(!postgresFolder())('finds them in PostgreSQL', { timeout: 60_000 }, async () => {
    const engine = await startPostgres();
    afterThisTest(() => engine.dispose());
    await conversation({ ...PEPPER, RELAY_DATABASE_URL: engine.url });
    const traces = { folders: [], said: [], database: engine.url };
    expect(await findLeaks(traces, forbidden)).toEqual([]);
    await query(engine.url, `INSERT INTO operator_order (ts, kind, target) VALUES (0, 'x', '${WORDS}')`);
    expect(await findLeaks(traces, forbidden)).toEqual(['words (raw) in operator_order.target']);
  });

  it.skipIf(!redisBinary())('finds them in Redis', { timeout: 60_000 }, async () => {
    const engine = await startRedis();
    afterThisTest(() => engine.dispose());
    await conversation({ ...PEPPER, RELAY_REDIS_URL: engine.url });
    const traces = { folders: [], said: [], database: engine.url };
    expect(await findLeaks(traces, forbidden)).toEqual([]);
    const redis = new Redis(engine.url);
    const [room] = await redis.keys('qsec2:room:*:log');
    await redis.hset(room!.replace(/:log$/, ''), 'label', WORDS);
    redis.disconnect();
    expect(await findLeaks(traces, forbidden)).toEqual(['words (raw) in room']);
  });
});
