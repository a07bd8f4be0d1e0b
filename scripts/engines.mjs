import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Redis and PostgreSQL of this machine (Debian's packages, say), each a process on the loopback address with its data in a folder. */

/**
 * @typedef {object} EngineOptions
 * @property {string} folder where the data is, or will be
 * @property {number} port
 * @property {string[]} [settings] further arguments of the server
 */

/**
 * @typedef {object} Engine
 * @property {string} url what the relay is given
 * @property {() => Promise<import('node:child_process').ChildProcess>} start starts it on its data, and waits until it takes connections
 * @property {NodeJS.Signals} farewell the signal on which it writes everything and ends
 */

/** @returns {string | undefined} */
export const redisBinary = () => findBinary('redis-server', ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']);

/**
 * Folder of `initdb` and `postgres`.
 *
 * @returns {string | undefined}
 */
export function postgresFolder() {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const folders = versions.map((version) => `/usr/lib/postgresql/${version}/bin`);
  return [...folders, '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  );
}

/**
 * A Redis that answers when what it took is on the disk. Later settings win.
 *
 * @param {EngineOptions} options
 * @returns {Engine}
 */
export function redis({ folder, port, settings = [] }) {
  const binary = redisBinary();
  if (!binary) throw new Error('redis-server is not installed (Debian: apt-get install redis-server)');
  mkdirSync(folder, { recursive: true });
  const where = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder];
  const kept = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
  return {
    url: `redis://127.0.0.1:${port}`,
    farewell: 'SIGTERM',
    start: () => ready(spawn(binary, [...where, ...kept, ...settings], { detached: true }), 'Ready to accept connections'),
  };
}

/**
 * A PostgreSQL of one database, made at the first start.
 *
 * @param {EngineOptions} options
 * @returns {Engine}
 */
export function postgres({ folder, port, settings = [] }) {
  const binaries = postgresFolder();
  if (!binaries) throw new Error('PostgreSQL is not installed (Debian: apt-get install postgresql)');
  mkdirSync(folder, { recursive: true });
  const user = unprivileged();
  if (user) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  const data = join(folder, 'data');
  if (!existsSync(data)) {
    const terms = ['-D', data, '-U', 'relay', '-A', 'trust', '--no-sync'];
    execFileSync(join(binaries, 'initdb'), terms, { ...user, stdio: 'ignore', cwd: folder });
  }
  const where = ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder];
  const start = () => spawn(join(binaries, 'postgres'), [...where, ...settings], { ...user, cwd: folder, detached: true });
  return {
    url: `postgres://relay@127.0.0.1:${port}/postgres`,
    farewell: 'SIGINT',
    start: () => ready(start(), 'ready to accept connections'),
  };
}

/**
 * @param {import('node:child_process').ChildProcess} server
 * @param {string} sign
 * @returns {Promise<import('node:child_process').ChildProcess>}
 */
function ready(server, sign) {
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-10_000);
      if (output.includes(sign)) resolve(server);
    };
    server.stdout?.on('data', look);
    server.stderr?.on('data', look);
    server.once('exit', (code) => reject(new Error(`${server.spawnfile} ended with ${code}: ${output}`)));
    server.once('error', reject);
  });
}

/** PostgreSQL refuses to run as root: `nobody` runs it then. */
function unprivileged() {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
}

/**
 * @param {string} name
 * @param {string[]} folders
 */
function findBinary(name, folders) {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
