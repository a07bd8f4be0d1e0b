import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { clear, isCutOff, missingPackages } from '../scripts/installation.mjs';
import { nodeOf } from '../scripts/nodes.mjs';
import { temporaryFolder } from './support/temporary-folder.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('a script of this project', () => {
  const old = nodeOf(20);

  /** `npm start` and its like, as one Node runs them. */
  function onNode(node: string, version: string | undefined, ...args: string[]) {
    const pretend = join(temporaryFolder(), 'pretend.cjs');
    writeFileSync(pretend, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`);
    const flags = version === undefined ? [] : ['--require', pretend];
    const { stdout, stderr, status } = spawnSync(
      node,
      [...flags, 'scripts/on-node.cjs', '../e2e/support/which-node.mjs', ...args],
      {
        cwd: ROOT,
        encoding: 'utf8',
      },
    );
    return { stdout, stderr, status };
  }

  it('runs on the Node at hand when that is new enough, and says nothing of it', () => {
    const { stdout, status } = onNode(process.execPath, undefined, '3', '--flag');
    expect(JSON.parse(stdout)).toEqual([process.version, expect.any(String), ['--flag']]);
    expect(status).toBe(3);
  });

  it.skipIf(!old || !nodeOf(24))('runs on one from npm when that is too old, tools included, and says so in a line', () => {
    const { stdout, stderr, status } = onNode(old!, undefined, '3', '--flag');
    const [said, answer, ...more] = stdout.trim().split('\n');
    const { version } = { version: spawnSync(nodeOf(24)!, ['--version'], { encoding: 'utf8' }).stdout.trim() };
    expect(said).toMatch(/The tools need Node 22\.19 and this is 20\.\d+\.\d+: running Node 24 from scripts\/nodes\/24\.$/);
    expect([JSON.parse(answer!), more, stderr, status]).toEqual([[version, version, ['--flag']], [], '', 3]);
  });

  it.each(['17.9.1', '16.20.2', '10.0.0', '0.12.18'])('refuses Node %s with what to do', (version) => {
    const { stdout, stderr, status } = onNode(process.execPath, version);
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toContain(`Node ${version} is too old`);
    expect(stderr).toContain('Install Node 22.19 or newer from https://nodejs.org');
  });
});

describe('an installation', () => {
  let root: string;
  const lock = {
    packages: {
      '': { name: 'x' },
      'packages/own': { version: '1.0.0' },
      'node_modules/own': { resolved: 'packages/own', link: true },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/b': { version: '2.0.0', dev: true },
      'node_modules/for-this': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
      'node_modules/for-another': { version: '1.0.0', optional: true, os: ['aix'], cpu: ['ppc64'] },
      'node_modules/for-all-but-this': { version: '1.0.0', optional: true, os: [`!${process.platform}`] },
      'node_modules/if-it-works': { version: '1.0.0', optional: true },
    },
  };
  const put = (folder: string, manifest: object | string) => {
    mkdirSync(join(root, folder), { recursive: true });
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    writeFileSync(join(root, folder, 'package.json'), text);
  };

  /** When something in `node_modules` was written last, in seconds. */
  const at = (path: string, seconds: number) => utimesSync(join(root, 'node_modules', path), seconds, seconds);

  beforeEach(() => {
    root = temporaryFolder();
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(lock));
    for (const [folder, { version }] of Object.entries(lock.packages) as [string, { version?: string }][])
      if (!folder.includes('for-another') && !folder.includes('all-but') && !folder.includes('if-it')) put(folder, { version });
    for (const folder of ['own', 'a', 'a/node_modules/b', 'for-this']) at(folder, 999);
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), '{}');
    at('.package-lock.json', 1000);
  });

  it('is whole when each package that the lock file asks for here is there', () => {
    expect([isCutOff(root), missingPackages(root)]).toEqual([false, []]);
  });

  it.each(['node_modules/own', 'node_modules/a/node_modules/b', 'node_modules/for-this'])(
    'misses %s when that is not there',
    (gone) => {
      rmSync(join(root, gone), { recursive: true });
      expect(missingPackages(root)).toEqual([gone]);
    },
  );

  it('misses a package of another version, and one that was written in part', () => {
    put('node_modules/a', { version: '0.9.0' });
    put('node_modules/for-this', '{"versi');
    expect(missingPackages(root)).toEqual(['node_modules/a', 'node_modules/for-this']);
  });

  it('misses a package that was changed after npm had ended: another npm was cut off while it wrote it', () => {
    at('a/node_modules/b', 1001);
    expect(missingPackages(root)).toEqual(['node_modules/a/node_modules/b']);
  });

  it('is cut off where npm never came to its end, and where what is not whole was taken away', () => {
    clear(['node_modules/a'], root);
    expect(isCutOff(root)).toBe(true);
    rmSync(join(root, 'node_modules'), { recursive: true });
    expect(isCutOff(root)).toBe(false);
  });
});

describe('what npm installs with the packages', () => {
  it('runs no script: npm from version 12 on asks the person first', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
    const scripts = Object.entries(packages as Record<string, { hasInstallScript?: boolean; dev?: boolean; optional?: boolean }>)
      .filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev)
      .map(([folder]) => folder);
    expect(scripts).toEqual([]);
  });
});
