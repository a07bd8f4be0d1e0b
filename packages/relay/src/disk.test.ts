import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChildRelay, environment, runCli } from './testing/child-relay.ts';
import { newRoom, TestClient } from './testing/client.ts';
import { redisBinary, startRedis } from './testing/engines.ts';
import { oneRelay, relaysOn } from './testing/history/deployment.ts';
import { databaseDiskFull, diskFull, filesReadOnly } from './testing/history/faults.ts';
import { runScenario } from './testing/history/scenario.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';
import { smallDisk, whyNotImmutable } from './testing/small-disk.ts';

const probe = smallDisk(1);
const reason = 'reason' in probe ? probe.reason : undefined;
if (!('reason' in probe)) probe.dispose();

function disk(mebibytes: number) {
  const made = smallDisk(mebibytes);
  if ('reason' in made) throw new Error(made.reason);
  afterThisTest(() => made.dispose());
  return made;
}

describe.skipIf(reason !== undefined)(`on a small disk${reason ? ` (skipped: ${reason})` : ''}`, { timeout: 60_000 }, () => {
  it('a full one costs refusals, and nothing that was acknowledged', async () => {
    const small = disk(16);
    const full = diskFull(small);
    const outcome = await runScenario(oneRelay({ dataDir: small.folder }), [full, full]);
    expect(outcome.violations.slice(0, 10)).toEqual([]);
    expect(outcome.refused).toBeGreaterThan(0);
    expect(outcome.relayOutput).toContain('SQLITE_FULL');
  });

  it.skipIf(!redisBinary())('a full one under Redis costs refusals, and nothing that was acknowledged', async () => {
    const small = disk(16);
    const redis = await startRedis('--dir', small.folder);
    afterThisTest(() => redis.dispose());
    const outcome = await runScenario(relaysOn(redis, 2, temporaryFolder()), [databaseDiskFull(small)]);
    expect(outcome.violations.slice(0, 10)).toEqual([]);
    expect(outcome.refused).toBeGreaterThan(0);
  });

  it('a read-only one is named when the relay starts', async () => {
    const small = disk(16);
    await (await ChildRelay.start(small.folder)).stop('SIGTERM');
    small.makeReadOnly();
    const env = environment(small.folder);
    const all = await runCli(['serve'], env);
    expect([all.code, all.err]).toEqual([2, expect.stringMatching(/^qsec2-relay: RELAY_DATA_DIR: .*EROFS/)]);
    const database = await runCli(['serve'], { ...env, RELAY_DATA_DIR: temporaryFolder(), RELAY_PEPPER: 'p'.repeat(16) });
    const named = expect.stringMatching(/^qsec2-relay: RELAY_DATABASE_URL: .*SQLITE_(READONLY|CANTOPEN)/);
    expect([database.code, database.err]).toEqual([2, named]);
  });
});

const probed = mkdtempSync(join(tmpdir(), 'qsec2-immutable-'));
const mutable = whyNotImmutable(probed);
rmSync(probed, { recursive: true });
const why = mutable ? ` (skipped: ${mutable})` : '';

describe.skipIf(mutable)(`a database that turns read-only while the relay runs${why}`, { timeout: 60_000 }, () => {
  it('costs refusals, and nothing that was acknowledged', async () => {
    const folder = temporaryFolder();
    const turned = filesReadOnly(() => ['relay.db', 'relay.db-wal'].map((name) => join(folder, name)));
    const outcome = await runScenario(oneRelay({ dataDir: folder }), [turned, turned]);
    expect(outcome.violations.slice(0, 10)).toEqual([]);
    expect(outcome.refused).toBeGreaterThan(0);
    expect(outcome.relayOutput).toMatch(/SQLITE_(IOERR_WRITE|READONLY)/);
  });
});

const PAGE = 8192;

/** Writes noise over a file, from a place on. */
function damage(file: string, from: number): void {
  const descriptor = openSync(file, 'r+');
  const { size } = statSync(file);
  writeSync(descriptor, randomBytes(Math.max(0, size - from)), 0, Math.max(0, size - from), from);
  closeSync(descriptor);
}

describe('a damaged database', () => {
  async function usedFolder(): Promise<string> {
    const folder = temporaryFolder();
    await (await ChildRelay.start(folder)).stop('SIGTERM');
    // Stopped in good order, everything is in one file.
    expect(existsSync(join(folder, 'relay.db-wal'))).toBe(false);
    return folder;
  }

  it.each([
    ['has another beginning', (file: string) => damage(file, 0), 'SQLITE_NOTADB'],
    ['has noise behind its beginning', (file: string) => damage(file, PAGE), 'SQLITE_CORRUPT'],
    ['is cut short', (file: string) => truncateSync(file, 9000), 'SQLITE_CORRUPT'],
  ])('that %s is named when the relay starts', async (_, harm, code) => {
    const folder = await usedFolder();
    harm(join(folder, 'relay.db'));
    expect(await runCli(['serve'], environment(folder))).toMatchObject({
      code: 2,
      err: `qsec2-relay: RELAY_DATABASE_URL: expected a database of this relay that can be written (${code})\n`,
    });
  });

  it('while the relay runs is told to those who need what is lost; the process goes on', async () => {
    const folder = temporaryFolder();
    const relay = await ChildRelay.start(folder);
    afterThisTest(() => relay.stop('SIGKILL'));
    const connect = async (identity?: TestClient) => {
      const client = new TestClient(relay.url, identity && { identity });
      afterThisTest(() => client.close());
      return client.connected();
    };
    const room = newRoom();
    const [ana, bo] = [await connect(), await connect()];
    const { epoch } = (await ana.create(room)).ok!;
    await ana.join(room);
    await bo.join(room);
    bo.close();
    // More than SQLite keeps in memory, so that it has to read.
    for (let sent = 0; sent < 320; sent += 8) {
      ana.push(...Array.from({ length: 8 }, () => ({ body: randomBytes(30_000) })));
      await ana.until(() => ana.acknowledged.length === sent + 8);
    }
    // A checkpoint under way may put back what was damaged; then it is done again.
    for (let refused = false; !refused; ) {
      for (const file of ['relay.db', 'relay.db-wal']) damage(join(folder, file), PAGE);
      const back = await connect(bo);
      await back.join(room, { since: { epoch, seq: 0 } });
      await back.until(() => back.socket.disconnected || back.cursor === 320);
      refused = back.socket.disconnected;
      if (refused) expect(back.errors).toMatchObject([{ code: 'UNAVAILABLE' }]);
      expect(back.gaps).toEqual([]);
      back.close();
    }
    expect((await fetch(`${relay.url}/healthz`)).status).toBe(200);
    expect(relay.output.join('\n')).toContain('SQLITE_CORRUPT');
  });
});
