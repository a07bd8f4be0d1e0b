import { readdirSync } from 'node:fs';
import { connect } from '@qsec2/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstalledRelay, whyNotConfined } from './support/installed-relay.ts';

/** The relay as strangers run it: from its package, as nobody, where nothing can be written but its data folder. */

const reason = whyNotConfined();
let relay: InstalledRelay;

describe.skipIf(reason)(`an installed relay without rights${reason ? ` (skipped: ${reason})` : ''}`, () => {
  beforeAll(async () => {
    relay = await InstalledRelay.install();
  });
  afterAll(() => relay.remove());

  it('can write to its data folder, and nowhere else', async () => {
    const places = [relay.data, relay.app, '/tmp', '/var/tmp', '/dev/shm', '/'];
    const probe = `id -u; grep CapEff /proc/self/status; for p in "$@"; do touch "$p/probe" && echo "$p"; done`;
    const { out, err } = await relay.runOther(['sh', '-c', probe, 'sh', ...places]);
    const [user, rights, ...written] = out.trim().split('\n');
    expect([user, rights]).toEqual(['65534', expect.stringMatching(/\s0+$/)]);
    expect(written).toEqual([relay.data]);
    expect(err.match(/Read-only file system/g)?.length).toBe(places.length - 1);
  });

  it('carries rooms, messages and files, stops in good order, and finds its data again', async () => {
    relay.makeData();
    const { code, out } = await relay.run(['check']);
    expect([code, out]).toEqual([0, expect.stringContaining('can be written')]);

    const first = await relay.serve();
    const ana = await connect({ relay: first.url, name: 'Ana' });
    const bo = await connect({ relay: first.url, name: 'Bo', invite: ana.invite });
    while (ana.state !== 'secure') await ana.once('state');
    const heard = bo.once('message');
    await (await ana.send('hello from a package')).delivered;
    expect((await heard).text).toBe('hello from a package');
    const came = bo.once('message');
    const content = new Uint8Array(300_000).fill(7);
    await (await ana.sendFile(new File([content], 'seven.bin'))).delivered;
    expect(new Uint8Array(await (await (await came).file!.blob()).arrayBuffer())).toEqual(content);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    await ana.leave();
    await bo.leave();
    expect(await first.stop()).toBe(0);
    expect(readdirSync(relay.data)).toEqual(expect.arrayContaining(['pepper', 'relay.db']));

    const again = await relay.serve();
    const { out: log } = await relay.run(['logs', '--json']);
    const kinds = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).kind);
    expect(kinds).toEqual(expect.arrayContaining(['room-created', 'room-ready', 'frames-relayed', 'relay-stopped']));
    expect(await again.stop()).toBe(0);
  });

  it.each(['serve', 'check'])('says which variable to set when the data folder cannot be written: %s', async (command) => {
    relay.makeData(0o755);
    const { code, err } = await relay.run([command]);
    expect([code, err]).toEqual([2, 'qsec2-relay: RELAY_DATA_DIR: expected a folder that this user can write to (EACCES)\n']);
  });

  it('says which variable to set when only the database cannot be written', async () => {
    relay.makeData();
    const { code, err } = await relay.run(['serve'], { RELAY_DATABASE_URL: `sqlite:${relay.app}/relay.db` });
    expect([code, err]).toEqual([
      2,
      'qsec2-relay: RELAY_DATABASE_URL: expected a database of this relay that can be written (SQLITE_CANTOPEN)\n',
    ]);
  });
});
