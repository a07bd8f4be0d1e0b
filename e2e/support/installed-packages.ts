import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));

/** Names of folders in packages/. */
export type Package = 'sdk' | 'widget' | 'relay';

/**
 * Installs packages as npm packs them into a folder, with their commands. Their files are those of the tarballs; what they depend on is
 * copied from this checkout instead of fetched, and what they do not say is not there.
 */
export function installPacked(packages: readonly Package[], folder: string): void {
  const modules = join(folder, 'node_modules');
  for (const name of packages) unpack(name, modules);
  for (const name of packages) copyDependencies(name, modules);
}

function unpack(name: Package, modules: string): void {
  const own = join(modules, '@qsec2', name);
  mkdirSync(own, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--workspace', `packages/${name}`, '--pack-destination', modules, '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const tarball = join(modules, filename);
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', own]);
  rmSync(tarball);
  const { bin = {} } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as { bin?: Record<string, string> };
  for (const [command, file] of Object.entries(bin)) {
    mkdirSync(join(modules, '.bin'), { recursive: true });
    chmodSync(join(own, file), 0o755);
    symlinkSync(relative(join(modules, '.bin'), join(own, file)), join(modules, '.bin', command));
  }
}

/** Copies what a package depends on, and what that depends on, to where npm puts it. */
function copyDependencies(name: Package, modules: string): void {
  const from = join(ROOT, 'node_modules');
  const copyOf = (manifest: string, lookFrom: string) => {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      // Packed as well, or not installed: then it is missed.
      if (dependency.startsWith('@qsec2/')) continue;
      const found = findModule(dependency, lookFrom);
      if (!found && dependency in optionalDependencies) continue;
      if (!found) throw new Error(`${dependency} is not installed in this checkout`);
      const to = join(modules, relative(from, found));
      if (existsSync(to)) continue;
      const nested = join(found, 'node_modules');
      // Without the sources of SQLite, which are many.
      const wanted = (path: string) => path !== nested && path !== join(from, 'better-sqlite3/deps');
      cpSync(found, to, { recursive: true, filter: wanted });
      copyOf(join(found, 'package.json'), found);
    }
  };
  copyOf(join(modules, '@qsec2', name, 'package.json'), join(ROOT, 'packages', name));
}

/** As Node looks for it. */
function findModule(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (folder === ROOT) return undefined;
  }
}
