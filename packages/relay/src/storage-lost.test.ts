import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { BLOB_CHUNK_BYTES } from '@qsec2/sdk/wire';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ChildRelay } from './testing/child-relay.ts';
import { random16, TestClient } from './testing/client.ts';
import { afterThisTest, joinedRoom, type Running, startRelay, temporaryFolder } from './testing/relay-fixture.ts';

const GONE = 'a file of the database was deleted or moved';
const REPLACED = 'another file stands in the place of one of the database';
const CUT = 'a file of the database was cut short';

/** A relay with its data in a folder that may be moved, and what it logged. */
async function running() {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder);
  const lines: { reason?: string; msg: string }[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const relay = await startRelay({ dataDir: folder, logger });
  return { relay, folder, lines };
}

/** A room in which one frame was acknowledged. */
async function conversation(relay: Running) {
  const { room, clients } = await joinedRoom(relay);
  const [ana, bo] = clients as [TestClient, TestClient];
  ana.push({ text: 'before' });
  await bo.until(() => bo.texts.includes('before'));
  await ana.until(() => ana.acks.length === 1);
  return { room, ana, bo };
}

/** What a push comes to: its place, or the code it is refused with. */
async function pushed(ana: TestClient, text = 'after'): Promise<number | string> {
  const before = ana.acks.length;
  ana.push({ text });
  await ana.until(() => ana.acks.length > before);
  const { seq, refused } = ana.acks.at(-1)!;
  return refused?.[0]?.error.code ?? seq[0]!;
}

async function readiness({ url }: { url: string }) {
  const response = await fetch(`${url}/readyz`);
  return { code: response.status, ...((await response.json()) as object) };
}

const ready = { code: 200, status: 'ready', failed: [] };
const notReady = (part: 'database' | 'files', reason: string) => ({
  code: 503,
  status: 'not ready',
  failed: expect.arrayContaining([part]),
  reasons: expect.objectContaining({ [part]: reason }),
});

const database = (folder: string, ending = '') => join(folder, `relay.db${ending}`);

/** Another database of a relay, in the place of the one that is open. */
async function replace(folder: string, names: readonly string[]): Promise<void> {
  const other = temporaryFolder();
  const child = await ChildRelay.start(other);
  for (const name of names) {
    rmSync(join(folder, name));
    cpSync(join(other, name), join(folder, name));
  }
  await child.stop('SIGKILL');
}

describe('nothing is acknowledged, and the relay is not ready,', { timeout: 20_000 }, () => {
  const all = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('relay.db'));
  it.each<[string, (folder: string) => unknown, string]>([
    ['all files of the database were deleted', (folder) => all(folder).map((name) => rmSync(join(folder, name))), GONE],
    ['the file of the database was deleted', (folder) => rmSync(database(folder)), GONE],
    ['the write-ahead log was deleted', (folder) => rmSync(database(folder, '-wal')), GONE],
    ['the shared memory was deleted', (folder) => rmSync(database(folder, '-shm')), GONE],
    ['the lock was deleted', (folder) => rmSync(database(folder, '.lock')), GONE],
    ['the database was moved', (folder) => renameSync(database(folder), join(folder, 'old.db')), GONE],
    ['the data folder was deleted', (folder) => rmSync(folder, { recursive: true }), GONE],
    ['the data folder was moved', (folder) => renameSync(folder, `${folder}-away`), GONE],
    ['the database was replaced', (folder) => replace(folder, ['relay.db']), REPLACED],
    ['database and log were replaced', (folder) => replace(folder, ['relay.db', 'relay.db-wal', 'relay.db-shm']), REPLACED],
    ['the data folder is another one', (folder) => movedFor(folder), REPLACED],
    ['the database was emptied', (folder) => truncateSync(database(folder), 0), CUT],
    ['the database lost its last page', (folder) => truncateSync(database(folder), statSync(database(folder)).size - 8192), CUT],
    ['the write-ahead log was emptied', (folder) => truncateSync(database(folder, '-wal'), 0), CUT],
  ])('when %s under it', async (_, harm, reason) => {
    const { relay, folder, lines } = await running();
    const { ana, bo } = await conversation(relay);
    expect(await readiness(relay)).toEqual(ready);
    // Everything stands in the file itself: what is cut off is missing.
    await expect.poll(() => statSync(database(folder)).size).toBeGreaterThan(8 * 8192);
    await readiness(relay);
    await harm(folder);
    expect(await pushed(ana)).toBe('UNAVAILABLE');
    expect(await readiness(relay)).toEqual(notReady('database', reason));
    const line = { level: 50, part: 'database', reason, msg: expect.stringContaining('not ready') };
    await expect.poll(() => lines, { timeout: 5000 }).toContainEqual(expect.objectContaining(line));
    // Said once.
    expect(lines.filter(({ msg }) => msg.includes('not ready: '))).toHaveLength(lines.some(isFiles) ? 2 : 1);
    expect(bo.texts).toEqual(['before']);
    expect(await pushed(ana)).toBe('UNAVAILABLE');
    expect((await (await relay.client()).create(newTerms())).error?.code).toBe('UNAVAILABLE');
    await relay.relay.close();
  });

  const isFiles = (line: object) => 'part' in line && line.part === 'files';
  const movedFor = (folder: string) => {
    renameSync(folder, `${folder}-away`);
    cpSync(`${folder}-away`, folder, { recursive: true });
  };
  const newTerms = () => ({
    room: random16(),
    token: randomBytes(32).toString('base64url'),
    endToken: randomBytes(32).toString('base64url'),
  });
});

it('without the check a relay acknowledges what goes into a deleted file', async () => {
  const folder = temporaryFolder();
  const edits = [{ file: 'store/sqlite/sqlite-journal.ts', from: 'this.#files.checkOften();', to: '' }];
  const child = await ChildRelay.start(folder, {}, { name: 'files not looked at', edits });
  afterThisTest(() => child.stop('SIGKILL'));
  const client = async () => {
    const made = new TestClient(child.url);
    afterThisTest(() => made.close());
    return made.connected();
  };
  const { ana } = await conversation({ client } as Running);
  for (const ending of ['', '-wal', '-shm']) rmSync(database(folder, ending));
  expect(await pushed(ana)).toBe(2);
});

describe('a relay goes on by itself', { timeout: 20_000 }, () => {
  it('once the files are back where they were, with everything that was acknowledged', async () => {
    const { relay, folder, lines } = await running();
    const { room, ana, bo } = await conversation(relay);
    bo.close();
    renameSync(folder, `${folder}-away`);
    expect(await pushed(ana, 'refused')).toBe('UNAVAILABLE');
    await expect.poll(() => lines, { timeout: 5000 }).toContainEqual(expect.objectContaining({ part: 'database', reason: GONE }));
    renameSync(`${folder}-away`, folder);
    await expect.poll(() => readiness(relay)).toEqual(ready);
    const back = { part: 'database', msg: expect.stringContaining('back in place') };
    await expect.poll(() => lines, { timeout: 5000 }).toContainEqual(expect.objectContaining(back));
    expect(await pushed(ana, 'after')).toBe(2);
    const again = await relay.client({ identity: bo });
    await again.join(room, { since: { epoch: (await relay.client().then((c) => c.create(room))).ok!.epoch, seq: 0 } });
    await again.until(() => again.cursor === 2);
    expect(again.texts).toEqual(['before', 'after']);
  });

  it('after a VACUUM and a checkpoint by someone else, which shorten its files by right', async () => {
    const { relay, folder } = await running();
    const { ana } = await conversation(relay);
    ana.push(...Array.from({ length: 40 }, () => ({ body: randomBytes(20_000) })));
    await ana.until(() => ana.acknowledged.length === 41);
    const { default: Database } = await import('better-sqlite3');
    const other = new Database(database(folder));
    other.exec('DELETE FROM event; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
    other.close();
    expect(await readiness(relay)).toEqual(ready);
    expect(await pushed(ana)).toBe(42);
  });

  it('at the next start, where a log that was deleted makes for a new epoch', async () => {
    const folder = temporaryFolder();
    const first = await ChildRelay.start(folder);
    afterThisTest(() => first.stop('SIGKILL'));
    const client = async ({ url }: ChildRelay) => {
      const made = new TestClient(url);
      afterThisTest(() => made.close());
      return made.connected();
    };
    const { room, ana } = await conversation({ client: () => client(first) } as Running);
    const { epoch } = (await (await client(first)).create(room)).ok!;
    rmSync(database(folder, '-wal'));
    expect(await pushed(ana)).toBe('UNAVAILABLE');
    await first.stop('SIGKILL');
    const second = await ChildRelay.start(folder);
    afterThisTest(() => second.stop('SIGKILL'));
    const made = (await (await client(second)).create(room)).ok!;
    expect(made.epoch).not.toBe(epoch);
  });

  it('is stopped in good order though its database is gone', async () => {
    const folder = temporaryFolder();
    const child = await ChildRelay.start(folder);
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    expect(await child.stop('SIGTERM')).toBe(0);
    expect(existsSync(database(folder, '.run'))).toBe(false);
  });
});

describe('a chunk of a file is not acknowledged, and the relay is not ready,', { timeout: 20_000 }, () => {
  const blobs = (folder: string) => join(folder, 'blobs');
  it.each<[string, (folder: string) => unknown, string]>([
    [
      'was deleted',
      (folder) => rmSync(blobs(folder), { recursive: true }),
      'the folder of the sealed files was deleted or moved',
    ],
    [
      'is another one',
      (folder) => {
        renameSync(blobs(folder), join(folder, 'old'));
        mkdirSync(blobs(folder));
      },
      'another folder stands in the place of that of the sealed files',
    ],
  ])('when the folder of sealed files %s', async (_, harm, reason) => {
    const { relay, folder, lines } = await running();
    const { ana } = await conversation(relay);
    const blob = random16();
    const put = (index: number) =>
      ana.socket.emitWithAck('blob:put', { blob, index, last: false }, Buffer.alloc(BLOB_CHUNK_BYTES));
    expect(await put(0)).toEqual({ ok: { chunks: 1, complete: false } });
    harm(folder);
    expect((await put(1)).error?.code).toBe('UNAVAILABLE');
    expect(await readiness(relay)).toEqual(notReady('files', reason));
    const line = { part: 'files', reason };
    await expect.poll(() => lines, { timeout: 5000 }).toContainEqual(expect.objectContaining(line));
    // Frames do not need it.
    expect(await pushed(ana)).toBe(2);
  });
});
