import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createRelay } from './relay.ts';
import { ChildRelay, environment, runCli } from './testing/child-relay.ts';
import { newRoom, TestClient } from './testing/client.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

/** A data folder as a relay leaves it that served a room. */
async function usedFolder() {
  const folder = temporaryFolder();
  const relay = await ChildRelay.start(folder);
  const ana = await new TestClient(relay.url).connected();
  const room = newRoom();
  await ana.create(room);
  ana.close();
  await relay.stop('SIGTERM');
  return { folder, pepper: join(folder, 'pepper'), room };
}

describe('a pepper that is missing beside its database', { timeout: 30_000 }, () => {
  it('is an error with the ways out, for every command that opens the database, and none is made', async () => {
    const { folder, pepper } = await usedFolder();
    rmSync(pepper);
    for (const command of ['serve', 'check', 'migrate', 'logs', 'rooms', 'pepper']) {
      const { code, err } = await runCli([command], environment(folder));
      expect({ code, err }, command).toEqual({ code: 2, err: expect.stringMatching(/^qsec2-relay: RELAY_DATA_DIR: .*"pepper"/) });
      expect(err).toContain(join(folder, 'relay.db'));
      expect(err).toMatch(/Put the file back .*RELAY_PEPPER.*\n {2}npx qsec2-relay pepper --new\n$/);
    }
    const options = { dataDir: folder, logger: pino({ level: 'silent' }) };
    await expect(createRelay(options)).rejects.toThrow('RELAY_DATA_DIR: expected a folder with the file "pepper"');
    expect(existsSync(pepper)).toBe(false);
  });

  it('is no error once it is back, or named in the settings', async () => {
    const { folder, pepper } = await usedFolder();
    renameSync(pepper, `${pepper}-away`);
    const named = { RELAY_PEPPER: 'the pepper of earlier starts' };
    expect((await runCli(['check'], { ...environment(folder), ...named })).code).toBe(0);
    renameSync(`${pepper}-away`, pepper);
    expect((await runCli(['check'], environment(folder))).code).toBe(0);
  });

  it('is made anew when that is asked for, and the rooms that nobody can be let into any more are forgotten', async () => {
    const { folder, pepper, room } = await usedFolder();
    expect(await runCli(['pepper', '--new'], environment(folder))).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing was changed'),
    });
    const before = readFileSync(pepper);
    rmSync(pepper);
    const { code, out } = await runCli(['pepper', '--new'], environment(folder));
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('1 rooms') });
    expect(readFileSync(pepper)).not.toEqual(before);
    expect((await runCli(['pepper'], environment(folder))).out).toContain(`kept in ${folder}`);
    expect((await runCli(['rooms'], environment(folder))).out).toBe('');
    const relay = await ChildRelay.start(folder);
    afterThisTest(() => relay.stop('SIGKILL'));
    const ana = await new TestClient(relay.url).connected();
    afterThisTest(() => ana.close());
    expect((await ana.create(room)).ok).toBeDefined();
    // Not under a relay that runs.
    renameSync(pepper, `${pepper}-away`);
    expect(await runCli(['pepper', '--new'], environment(folder))).toMatchObject({
      code: 2,
      err: expect.stringContaining('no other relay'),
    });
    expect(existsSync(pepper)).toBe(false);
  });

  it('is set elsewhere where it is not kept in the folder: there --new changes nothing', async () => {
    const env = { ...environment(temporaryFolder()), RELAY_PEPPER: 'sixteen characters' };
    expect((await runCli(['pepper'], env)).out).toContain('RELAY_PEPPER');
    expect((await runCli(['pepper', '--new'], env)).code).toBe(2);
  });
});

describe('a pepper is made', () => {
  it('by whichever command makes the database', async () => {
    for (const command of ['migrate', 'logs', 'rooms', 'check']) {
      const folder = join(temporaryFolder(), 'data');
      expect((await runCli([command], environment(folder))).code, command).toBe(0);
      expect(readFileSync(join(folder, 'pepper'))).toHaveLength(32);
    }
  });

  it('beside an empty file in the place of the database, which holds nothing', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'relay.db'), '');
    expect((await runCli(['check'], environment(folder))).code).toBe(0);
  });
});
