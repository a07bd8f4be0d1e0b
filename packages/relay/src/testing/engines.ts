import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, postgres, redis, type Engine as Server } from '../../../../scripts/engines.mjs';

export { freePort, postgresFolder, redisBinary } from '../../../../scripts/engines.mjs';

const START_ATTEMPTS = 50;

/** A real Redis or PostgreSQL of this machine, with data of its own in a temporary folder, on a free port. */
export interface Engine {
  url: string;
  port: number;
  /** Where its data is. */
  folder: string;
  /** Kills it with -9, keeping its data. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** Ends it for good and removes its data. */
  dispose(): Promise<void>;
}

export const startRedis = (...settings: string[]): Promise<Engine> => run((folder, port) => redis({ folder, port, settings }));

export const startPostgres = (...settings: string[]): Promise<Engine> => startPostgresIn(tmpdir(), ...settings);

/** With its data in a new folder of `parent`. */
export const startPostgresIn = (parent: string, ...settings: string[]): Promise<Engine> =>
  run((folder, port) => postgres({ folder, port, settings: ['-c', 'max_connections=50', ...settings] }), parent);

async function run(make: (folder: string, port: number) => Server, parent = tmpdir()): Promise<Engine> {
  const folder = mkdtempSync(join(parent, 'qsec2-engine-'));
  const port = await freePort();
  const server = make(folder, port);
  let process: ChildProcess | undefined = await server.start();
  const kill = async () => {
    const running = process;
    process = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  };
  return {
    url: server.url,
    port,
    folder,
    kill,
    async start() {
      process = await untilStarted(server);
    },
    async dispose() {
      await kill();
      // The children of a killed server go by themselves, and may still write while they do.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

/** The children of a PostgreSQL that was killed hold its memory for a moment, and it refuses to start meanwhile. */
async function untilStarted(server: Server): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await server.start();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
