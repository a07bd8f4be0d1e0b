import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Keeps rooms in a folder: the `storage` option of `connect` for Node. One file holds everything and is replaced as a whole, so that a
 * crash leaves either what was there before or what was there after. The file holds private keys: the folder is for its owner alone.
 *
 * @param {string} folder made if it is not there
 * @returns {Promise<import('@qsec2/sdk').StoragePort>}
 */
export async function fileStorage(folder) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'rooms.json');
  const entries = await load(path);
  let last = Promise.resolve();

  /** One after the other; what fails is told to who wrote, and undone. */
  const change = (changes) => {
    const done = last.then(async () => {
      const before = new Map([...changes.keys()].map((key) => [key, entries.get(key)]));
      apply(entries, changes);
      try {
        await save(path, entries);
      } catch (error) {
        apply(entries, before);
        throw error;
      }
    });
    last = done.catch(() => undefined);
    return done;
  };

  return {
    keepsCryptoKeys: false,
    get: async (key) => entries.get(key)?.slice(),
    list: async (prefix) => [...entries].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key, value.slice()]),
    write: (changes) => change(new Map([...changes].map(([key, value]) => [key, value?.slice()]))),
    erase: (prefix) =>
      change(new Map([...entries.keys()].filter((key) => key.startsWith(prefix)).map((key) => [key, undefined]))),
    lock: (name, patienceMs) => lock(folder, name, patienceMs),
  };
}

function apply(entries, changes) {
  for (const [key, value] of changes) value === undefined ? entries.delete(key) : entries.set(key, value);
}

async function load(path) {
  try {
    const kept = JSON.parse(await readFile(path, 'utf8'));
    return new Map(Object.entries(kept).map(([key, value]) => [key, new Uint8Array(Buffer.from(value, 'base64'))]));
  } catch (error) {
    if (error.code === 'ENOENT') return new Map();
    throw error;
  }
}

/** On the disk before it takes the place of what was there. */
async function save(path, entries) {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    const text = Object.fromEntries([...entries].map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
    await file.writeFile(JSON.stringify(text));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}

/** A file that only one process can make. What a process left that is no more does not count. */
async function lock(folder, name, patienceMs) {
  const path = join(folder, `${Buffer.from(name).toString('base64url')}.lock`);
  for (const until = Date.now() + patienceMs; ; ) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(String(process.pid));
      await file.close();
      return () => void rm(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (await isStale(path)) await rm(path, { force: true });
    else if (Date.now() >= until) return undefined;
    else await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function isStale(path) {
  const owner = Number(await readFile(path, 'utf8').catch(() => ''));
  if (!owner) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
