import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environment, runCli } from '../../testing/child-relay.ts';
import { temporaryFolder } from '../../testing/relay-fixture.ts';
import { driverFault } from './driver.ts';

const PROJECT = '/srv/relay/node_modules/better-sqlite3/package.json';
const coded = (code: string, message: string) => Object.assign(new Error(message), { code });
const FOLDER = '/srv/relay/node_modules/better-sqlite3';
const missing = coded('MODULE_NOT_FOUND', `Cannot find module '${FOLDER}/build/Release/better_sqlite3.node'\nRequire stack:`);
const BUILD = `In ${FOLDER} run:\n  npx node-gyp rebuild --release --force_build=1`;

describe('a driver that does not load', () => {
  it('because nothing is shipped for the platform is told of with what builds it', () => {
    const words = driverFault(missing, PROJECT, 'freebsd-x64')!;
    expect(words).toContain('has no ready native module for freebsd-x64. Build it, which takes Python 3');
    expect(words).toContain(BUILD);
  });

  it('because the system refuses it is told of with what the system says, and what builds it', () => {
    const refused = coded('ERR_DLOPEN_FAILED', "/srv/x.node: version `GLIBC_2.99' not found\nmore");
    const words = driverFault(refused, PROJECT)!;
    expect(words).toContain("does not load on this machine (/srv/x.node: version `GLIBC_2.99' not found). Build it");
    expect(words).toContain(BUILD);
  });

  it.each(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'])(
    'because what is shipped for %s is not there is told of with what installs it again',
    (platform) => {
      expect(driverFault(missing, PROJECT, platform)).toBe(
        `The SQLite driver (better-sqlite3) is not installed whole. Remove ${FOLDER} and run, where the relay is installed:\n  npm install`,
      );
    },
  );

  it('because a part in another language is missing is told of with what installs it again', () => {
    expect(driverFault(coded('MODULE_NOT_FOUND', "Cannot find module './util'"), PROJECT, 'freebsd-x64')).toContain(
      'not installed whole',
    );
  });

  it('because it is not there at all is told of', () => {
    const words = driverFault(coded('MODULE_NOT_FOUND', "Cannot find module 'better-sqlite3'"), undefined);
    expect(words).toMatch(/is not installed\. Run, .*\n {2}npm install$/);
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
  /** The prebuilt files are as if they were not there. */
  const GONE = `const fs = require('node:fs'); const there = fs.existsSync;
    fs.existsSync = (path) => !String(path).includes('prebuilds') && there(path);`;
  const REFUSED = `process.dlopen = () => { throw Object.assign(new Error('/x.node: invalid ELF header'), { code: 'ERR_DLOPEN_FAILED' }); };`;

  it.each([
    ['that is not whole', GONE, 'is not installed whole'],
    ['that the system refuses', REFUSED, 'invalid ELF header'],
  ])('%s', async (_, code, words) => {
    const env = { ...environment(temporaryFolder()), ...first(code) };
    for (const command of [['serve'], ['check'], ['migrate'], ['logs'], ['rooms'], ['block', '192.0.2.1'], ['bench']]) {
      const { code, err } = await runCli(command, env);
      expect({ code, err }, command.join(' ')).toEqual({
        code: 2,
        err: expect.stringMatching(/^qsec2-relay: The SQLite driver/),
      });
      expect(err).toContain(words);
      expect(err).not.toContain('    at ');
    }
  });
});
