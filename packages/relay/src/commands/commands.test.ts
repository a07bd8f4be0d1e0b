import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isOperatorToken } from '../gateway/operator-token.ts';
import { ChildRelay, environment, runCli } from '../testing/child-relay.ts';
import { newRoom, TestClient } from '../testing/client.ts';
import { afterThisTest, temporaryFolder } from '../testing/relay-fixture.ts';

describe('the command', () => {
  it('explains itself, and what it does not know', async () => {
    const help = await runCli(['--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('serve');
    expect(await runCli(['nonsense'])).toMatchObject({ code: 2, out: '' });
    const folder = temporaryFolder();
    expect((await runCli(['logs', '--nonsense'], environment(folder))).err).toContain("'--nonsense'");
  });

  it('names the variable whose value cannot be used', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'file');
    writeFileSync(file, 'not a database, and long enough to be looked at as one'.padEnd(8192, '.'));
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => busy.close());
    const { port } = busy.address() as AddressInfo;
    const cases: [Record<string, string>, string][] = [
      [{ RELAY_RETENTION: 'soon' }, 'RELAY_RETENTION'],
      [{ RELAY_DATABASE_URL: `sqlite:${file}` }, 'RELAY_DATABASE_URL'],
      [{ RELAY_DATABASE_URL: 'postgres://relay@127.0.0.1:1/none', RELAY_PEPPER: 'p'.repeat(16) }, 'RELAY_DATABASE_URL'],
      [{ RELAY_REDIS_URL: 'redis://127.0.0.1:1', RELAY_PEPPER: 'p'.repeat(16) }, 'RELAY_REDIS_URL'],
      [{ RELAY_REDIS_URL: 'redis://127.0.0.1:1' }, 'RELAY_PEPPER'],
      [{ RELAY_DATA_DIR: join(file, 'below') }, 'RELAY_DATA_DIR'],
      [{ PORT: `${port}` }, 'PORT'],
      [{ RELAY_OPS_PORT: `${port}` }, 'RELAY_OPS_PORT'],
      [{ RELAY_HOST: '192.0.2.1' }, 'RELAY_HOST'],
    ];
    for (const [env, name] of cases) {
      const { code, err } = await runCli(['serve'], { ...environment(folder), ...env });
      expect({ code, names: err.startsWith(`qsec2-relay: ${name}: expected`) }, err).toEqual({ code: 2, names: true });
    }
  });

  it('names a port that is taken, and says how to take another one in the words it was started with', async () => {
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => busy.close());
    const { port } = busy.address() as AddressInfo;
    const serve = async (env: Record<string, string>) =>
      (await runCli(['serve'], { ...environment(temporaryFolder()), ...env })).err;
    const taken = (name: string) =>
      `qsec2-relay: ${name}: expected a free port; ${port} at 127.0.0.1 is taken by another program (EADDRINUSE)`;
    expect(await serve({ PORT: `${port}` })).toBe(`${taken('PORT')}. Take another one:\n  PORT=${port + 1} npx qsec2-relay\n`);
    const inClone = await serve({ PORT: `${port}`, npm_lifecycle_event: 'start' });
    expect(inClone).toBe(`${taken('PORT')}. Take another one:\n  PORT=${port + 1} npm start\n`);
    const ops = await serve({ RELAY_OPS_PORT: `${port}` });
    expect(ops).toBe(`${taken('RELAY_OPS_PORT')}. Take another one:\n  RELAY_OPS_PORT=${port + 1} npx qsec2-relay\n`);
  });

  it('keeps the database in the data folder it is given', async () => {
    const folder = join(temporaryFolder(), 'data');
    expect((await runCli(['migrate'], { RELAY_DATA_DIR: folder })).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['pepper', 'relay.db']);
  });

  it('checks and migrates before a relay is started', async () => {
    const folder = temporaryFolder();
    expect((await runCli(['migrate'], environment(folder))).out).toContain('0001-rooms');
    expect((await runCli(['migrate'], environment(folder))).out).toContain('up to date');
    expect((await runCli(['check'], environment(folder))).out).toMatch(/pepper +ok\ndatabase +ok/);
  });

  it("makes operator's tokens", async () => {
    const secret = 'a secret of the operator';
    const { out } = await runCli(['token', '--for', '1h'], { RELAY_OPERATOR_SECRET: secret });
    expect(isOperatorToken(secret, out.trim(), Date.now())).toBe(true);
    expect(isOperatorToken(secret, out.trim(), Date.now() + 3_700_000)).toBe(false);
    expect((await runCli(['token'])).err).toContain('RELAY_OPERATOR_SECRET');
  });
});

describe('while a relay runs', () => {
  async function running() {
    const folder = temporaryFolder();
    const relay = await ChildRelay.start(folder);
    afterThisTest(() => relay.stop('SIGKILL'));
    const connect = async () => {
      const client = new TestClient(relay.url);
      afterThisTest(() => client.close());
      return client;
    };
    const room = newRoom();
    const ana = await (await connect()).connected();
    await ana.create(room);
    await ana.join(room);
    const cli = (...args: string[]) => runCli(args, environment(folder));
    return { folder, relay, room, ana, connect, cli };
  }

  it('no other relay is started on the same file', async () => {
    const { folder } = await running();
    const { code, err } = await runCli(['serve'], environment(folder));
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringContaining('RELAY_DATABASE_URL: expected a database that no other'),
    });
  });

  it('its event log can be read, one room of it too, and tells what happened', async () => {
    const { room, ana, connect, cli } = await running();
    const bo = await (await connect()).connected();
    await bo.join(room);
    ana.push({ text: 'a very private text' }, { text: 'and another' });
    await bo.until(() => bo.cursor === 2);
    bo.socket.emit('report', { kind: 'key-agreement-finished' });
    await bo.socket.emitWithAck('leave');
    await ana.socket.emitWithAck('end', { room: room.room, endToken: room.endToken });
    const read = async () => {
      const { out } = await cli('logs', '--room', room.room, '--json');
      return out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    };
    await expect.poll(async () => (await read()).at(-1)?.kind, { timeout: 10_000 }).toBe('room-ended');
    const events = await read();
    expect(events.map(({ kind }) => kind)).toEqual([
      'room-created',
      'member-joined',
      'member-joined',
      'room-ready',
      'frames-relayed',
      'key-agreement-finished',
      'member-left',
      'room-ended',
    ]);
    expect(events[4]).toMatchObject({ n: 2, firstSeq: 1, lastSeq: 2 });
    const text = (await cli('logs')).out;
    expect(text).toMatch(/frames-relayed +#\S{22} +2 frames, \d+ bytes, 1–2/);
    expect(text).not.toContain(room.room);
    expect(text).not.toContain('private');
  });

  it('rooms are listed by their hashes, and ended', async () => {
    const { room, ana, cli } = await running();
    const { out } = await cli('rooms');
    expect(out).toMatch(/^#\S{22} {2}1 of 2 seats taken\n$/);
    expect(out).not.toContain(room.room);
    await cli('rooms', '--end', out.slice(0, 23));
    await ana.until(() => ana.ended === 'ended');
  });

  it.each(['127.0.0.1', '127.0.0.0/8'])('%s is blocked, which closes what it has open, and let in again', async (network) => {
    const { connect, cli, ana } = await running();
    await cli('block', '192.0.2.0/24', '--for', '1h');
    await cli('block', network, '--for', '1h');
    await expect.poll(() => ana.socket.connected, { timeout: 10_000 }).toBe(false);
    const tries = async () => (await connect()).admitted();
    expect(await tries()).toBe(false);
    await cli('block', network, '--off');
    await expect.poll(tries, { timeout: 10_000 }).toBe(true);
  });
});

// Root writes anywhere: as root, the read-only file system of disk.test.ts stands for this.
if (process.getuid?.() !== 0) {
  it('a database that cannot be written is an error that names its variable', async () => {
    const folder = temporaryFolder();
    await runCli(['migrate'], environment(folder));
    chmodSync(join(folder, 'relay.db'), 0o444);
    chmodSync(folder, 0o555);
    afterThisTest(() => chmodSync(folder, 0o755));
    expect((await runCli(['serve'], environment(folder))).err).toContain('RELAY_DATA');
  });
}
