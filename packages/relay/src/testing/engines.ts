import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Real Redis and PostgreSQL servers of this machine, each with data of its own in a temporary folder, on a free port. */

export interface Engine {
  url: string;
  port: number;
  /** Kills it with -9, keeping its data. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** Ends it for good and removes its data. */
  dispose(): Promise<void>;
}

export const redisBinary = (): string | undefined => findBinary('redis-server', ['/usr/bin', '/usr/local/bin']);

/** Folder of `initdb` and `postgres`. */
export function postgresFolder(): string | undefined {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const folders = [...versions.map((version) => `/usr/lib/postgresql/${version}/bin`), '/usr/local/bin', '/usr/bin'];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

export async function startRedis(...options: string[]): Promise<Engine> {
  const binary = redisBinary();
  if (!binary) throw new Error('redis-server is not installed (Debian: apt-get install redis-server)');
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'qsec2-redis-'));
  const settings = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--daemonize',
    'no',
  ];
  return run(
    `redis://127.0.0.1:${port}`,
    port,
    dir,
    () => spawn(binary, [...settings, ...options]),
    'Ready to accept connections',
  );
}

export async function startPostgres(): Promise<Engine> {
  const folder = postgresFolder();
  if (!folder) throw new Error('PostgreSQL is not installed (Debian: apt-get install postgresql)');
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'qsec2-postgres-'));
  const user = unprivileged();
  if (user) chownSync(dir, user.uid, user.gid);
  chmodSync(dir, 0o700);
  const data = join(dir, 'data');
  execFileSync(join(folder, 'initdb'), ['-D', data, '-U', 'relay', '-A', 'trust', '--no-sync'], {
    ...user,
    stdio: 'ignore',
    cwd: dir,
  });
  const settings = ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', dir, '-c', 'max_connections=50'];
  const start = () => spawn(join(folder, 'postgres'), settings, { ...user, cwd: dir });
  return run(`postgres://relay@127.0.0.1:${port}/postgres`, port, dir, start, 'ready to accept connections');
}

async function run(url: string, port: number, dir: string, spawnIt: () => ChildProcess, ready: string): Promise<Engine> {
  let process: ChildProcess | undefined;
  const start = async () => {
    const started = spawnIt();
    process = started;
    await new Promise<void>((resolve, reject) => {
      let output = '';
      const look = (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes(ready)) resolve();
      };
      started.stdout?.on('data', look);
      started.stderr?.on('data', look);
      started.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
      started.once('error', reject);
    });
  };
  const kill = async () => {
    const running = process;
    process = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    url,
    port,
    kill,
    start,
    async dispose() {
      await kill();
      // The children of a killed server go by themselves, and may still write while they do.
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

/** PostgreSQL refuses to run as root: `nobody` runs it then. */
function unprivileged(): { uid: number; gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
}

function findBinary(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
