import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environment, runCli } from '../../testing/child-relay.ts';
import { temporaryFolder } from '../../testing/relay-fixture.ts';
import { driverFault } from './driver.ts';

const PROJECT = '/srv/relay/node_modules/better-sqlite3/package.json';
const coded = (code: string, message: string) => Object.assign(new Error(message), { code });
const MISSING = new Error(
  'Could not locate the bindings file. Tried:\n → /srv/relay/node_modules/better-sqlite3/build/better_sqlite3.node',
);
const abi = (version: number) =>
  coded(
    'ERR_DLOPEN_FAILED',
    `The module '/srv/x.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION ${version}. This version of Node.js requires\nNODE_MODULE_VERSION ${process.versions.modules}.`,
  );

describe('a driver that does not load', () => {
  it('because its script did not run is told of with what approves and runs it', () => {
    const words = driverFault(MISSING, PROJECT)!;
    expect(words).toMatch(/has no native module: its install script did not run/);
    expect(words).toMatch(/In \/srv\/relay run:\n {2}npm approve-scripts better-sqlite3 .*\n {2}npm rebuild better-sqlite3/);
  });

  it('because it was built for another Node is told of with both versions', () => {
    const words = driverFault(abi(127), PROJECT)!;
    const now = `this is Node ${process.versions.node} (${process.versions.modules})`;
    expect(words).toBe(
      `The SQLite driver (better-sqlite3) was built for Node 22 (NODE_MODULE_VERSION 127); ${now}. In /srv/relay run:\n  npm rebuild better-sqlite3`,
    );
    expect(driverFault(abi(999), PROJECT)).toContain('built for another version of Node (NODE_MODULE_VERSION 999)');
  });

  it('for another reason is told of with what the system says', () => {
    const words = driverFault(coded('ERR_DLOPEN_FAILED', '/srv/x.node: invalid ELF header'), PROJECT)!;
    expect(words).toMatch(
      /does not load on this machine \(\/srv\/x.node: invalid ELF header\). In \/srv\/relay run:\n {2}npm rebuild better-sqlite3$/,
    );
    expect(driverFault(abi(Number(process.versions.modules)), PROJECT)).toContain('does not load on this machine');
  });

  it('because it is not there is told of', () => {
    expect(driverFault(coded('MODULE_NOT_FOUND', "Cannot find module 'bindings'"), PROJECT)).toContain('npm install');
    expect(driverFault(coded('MODULE_NOT_FOUND', "Cannot find module 'better-sqlite3'"), undefined)).toContain('npm install');
  });

  it('is mended in the way it was installed', () => {
    const npx = driverFault(MISSING, '/home/a/.npm/_npx/1f2e/node_modules/better-sqlite3/package.json')!;
    expect(npx).toContain('rm -r /home/a/.npm/_npx/1f2e\n  npx --allow-scripts=better-sqlite3 @qsec2/relay');
    const pnpm = '/srv/relay/node_modules/.pnpm/better-sqlite3@12/node_modules/better-sqlite3/package.json';
    expect(driverFault(MISSING, pnpm)).toContain('In /srv/relay run:\n  pnpm approve-builds\n  pnpm rebuild better-sqlite3');
    expect(driverFault(abi(127), pnpm)).toContain('In /srv/relay run:\n  pnpm rebuild better-sqlite3');
  });

  it('is not what an error of SQLite is taken for', () => {
    for (const error of [coded('SQLITE_CANTOPEN', 'unable to open'), new TypeError('Cannot open database'), 'text', undefined])
      expect(driverFault(error, PROJECT)).toBeUndefined();
    expect(driverFault(new Error('x'), undefined)).toBeUndefined();
  });
});

describe('every command says what is wrong with the driver, and what mends it', { timeout: 30_000 }, () => {
  /** Code that runs before the relay's, in the same process. */
  const first = (code: string): Record<string, string> => {
    const file = join(temporaryFolder(), 'first.cjs');
    writeFileSync(file, code);
    return { NODE_OPTIONS: `--require ${file}` };
  };
  const BLOCKED = `const { Module } = require('node:module'); const load = Module._load;
    Module._load = function (name, ...rest) { if (name !== 'bindings') return load.call(this, name, ...rest);
      return () => { throw new Error('Could not locate the bindings file. Tried:'); }; };`;
  const OTHER_NODE = `process.dlopen = () => { throw Object.assign(new Error('The module\\nwas compiled against a different Node.js version using\\nNODE_MODULE_VERSION 108. This version'), { code: 'ERR_DLOPEN_FAILED' }); };`;

  it.each([
    ['whose script did not run', BLOCKED, 'npm approve-scripts better-sqlite3'],
    ['built for another Node', OTHER_NODE, 'was built for Node 18'],
  ])('%s', async (_, code, words) => {
    const env = { ...environment(temporaryFolder()), ...first(code) };
    for (const command of [['serve'], ['check'], ['migrate'], ['logs'], ['rooms'], ['block', '192.0.2.1'], ['bench']]) {
      const { code, err } = await runCli(command, env);
      expect({ code, err }, command.join(' ')).toEqual({
        code: 2,
        err: expect.stringMatching(/^qsec2-relay: The SQLite driver/),
      });
      expect(err).toContain(words);
      expect(err).toContain('npm rebuild better-sqlite3');
      expect(err).not.toContain('    at ');
    }
  });
});
