import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAJORS, nodeOf } from '../scripts/nodes.mjs';
import { installPacked } from './support/installed-packages.ts';
import { RelayProcess } from './support/relay-process.ts';

/** The packages as npm packs them, on every Node that they support, and what they say on one that they do not. */

/** What Node is going to withdraw it says only to who asks, and then as an error. */
const STRICT = ['--pending-deprecation', '--throw-deprecation'];

let folder: string;
let relay: RelayProcess;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'qsec2-nodes-')));
  installPacked(['sdk', 'relay'], folder);
  for (const script of ['in-a-room.mjs', 'embedded.mjs'])
    copyFileSync(fileURLToPath(new URL(`support/${script}`, import.meta.url)), join(folder, script));
  relay = await RelayProcess.start();
}, 60_000);

afterAll(async () => {
  await relay.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs in the folder; what it printed, and how it ended. */
async function run(node: string, args: string[], env: Record<string, string> = {}) {
  return promisify(execFile)(node, args, { cwd: folder, env, timeout: 60_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  );
}

const cli = (name: 'sdk' | 'relay') =>
  join('node_modules', '@qsec2', name, ...(name === 'sdk' ? ['bin', 'qsec2.js'] : ['dist', 'cli.js']));

const settings = (data: string) => ({
  PORT: '0',
  RELAY_HOST: '127.0.0.1',
  RELAY_DATA_DIR: join(folder, data),
  RELAY_DATABASE_URL: `sqlite:${join(folder, data, 'relay.db')}`,
});

for (const major of MAJORS) {
  const node = nodeOf(major) ?? '';
  describe.skipIf(node === '')(`on Node ${major}`, { timeout: 90_000 }, () => {
    it('two members in a room use nothing that Node is going to withdraw, and no warning is printed', async () => {
      for (const flags of [STRICT, []])
        expect(await run(node, [...flags, 'in-a-room.mjs', relay.url])).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
    });

    it('the engine’s command runs, and no warning is printed', async () => {
      const { code, stdout, stderr } = await run(node, [...STRICT, cli('sdk'), 'bb84', 'simulate', '--pulses', '20000']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^pulses +20\s000/m);
    });

    if (major < 22) {
      it('the relay says that it needs a newer one, by itself and embedded', async () => {
        const words = new RegExp(`The relay needs Node 22\\.14 or newer, and this is Node ${major}\\.`);
        for (const command of ['serve', 'check', 'migrate', 'logs', 'bench']) {
          const { code, stderr } = await run(node, [cli('relay'), command], settings('too-old'));
          expect([command, code]).toEqual([command, 2]);
          expect(stderr).toMatch(words);
          expect(stderr).not.toContain('    at ');
        }
        const { code, stderr } = await run(node, ['embedded.mjs'], settings('too-old'));
        expect([code, stderr]).toEqual([1, expect.stringMatching(words)]);
      });
    } else {
      it('the relay serves and can be embedded, and no warning is printed', async () => {
        const checked = await run(node, [...STRICT, cli('relay'), 'check'], settings(`data-${major}`));
        expect(checked).toEqual({ code: 0, stdout: expect.stringContaining('can be written'), stderr: '' });
        const embedded = await run(node, [...STRICT, 'embedded.mjs'], settings(`data-${major}`));
        expect(embedded).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
      });
    }
  });
}

const newest = nodeOf(26) ?? '';
it.skipIf(newest === '')('Node would tell of a key that is not extractable and is used as another object', async () => {
  const from = `const { privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    process.getBuiltinModule('node:crypto').KeyObject.from(privateKey);`;
  const { code, stderr } = await run(newest, [...STRICT, '--input-type=module', '--eval', from]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('DEP0204')]);
});
