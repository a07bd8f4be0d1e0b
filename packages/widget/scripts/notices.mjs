import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What the licences of other people's code ask for: their notices, beside the files that hold it. */

/** Its runtime is compiled into every component. */
const BUILT_IN = ['@stencil/core'];

/** Notices of everything that a package depends on, and of what that depends on. @param folder of the package */
export async function noticesOf(folder) {
  const notices = new Map();
  const collect = async (from, names) => {
    for (const name of names) {
      const found = findModule(name, from);
      if (notices.has(found)) continue;
      notices.set(found, '');
      const { version, license, dependencies = {} } = await manifest(found);
      if (!name.startsWith('@qsec2/'))
        notices.set(found, `${name} ${version}\n\n${await licenceIn(found, `${name} (${license})`)}`);
      if (!BUILT_IN.includes(name)) await collect(found, Object.keys(dependencies));
    }
  };
  await collect(folder, [...Object.keys((await manifest(folder)).dependencies), ...BUILT_IN]);
  return `${[...notices.values()]
    .filter((notice) => notice !== '')
    .sort()
    .join('\n\n----\n\n')}\n`;
}

const manifest = async (folder) => JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));

async function licenceIn(folder, what) {
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${what} has no licence file to hand on.`);
  return (await readFile(join(folder, file), 'utf8')).trim();
}

/** As Node looks for it. */
function findModule(name, from) {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  throw new Error(`${name} is not installed.`);
}
