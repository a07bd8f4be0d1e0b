import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compile, endWithTests } from './child-relay.ts';

export type Shared = 'redis' | 'postgres';

const script = fileURLToPath(new URL('../../../../scripts/cluster.mjs', import.meta.url));

interface Part {
  url: string;
  pid: number;
}

/** Relays that share a database, started by the script that a user starts them with (`npm run cluster`). */
export class ChildCluster {
  /** Everything that was written to the terminal. */
  readonly output: string[] = [];
  readonly #script: ChildProcess;
  readonly #database: Shared;
  readonly #parts = new Map<string, Part>();
  readonly #changes = new EventEmitter();

  private constructor(script: ChildProcess, database: Shared) {
    this.#script = script;
    this.#database = database;
    for (const stream of [script.stdout!, script.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.#read(line));
    script.once('exit', () => this.#changes.emit('change'));
  }

  /** `env` adds to the settings of the relays. */
  static async start(database: Shared, relays: number, env: Record<string, string> = {}): Promise<ChildCluster> {
    const args = [script, database, '--relays', `${relays}`, '--port', '0', '--relay', await compile()];
    const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'pipe' });
    endWithTests(child, 'SIGTERM');
    const cluster = new ChildCluster(child, database);
    await cluster.#until(() => cluster.#parts.size === relays + 1);
    return cluster;
  }

  get urls(): string[] {
    const relays = [...this.#parts].filter(([name]) => name.startsWith('relay-'));
    return relays.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { url }]) => url);
  }

  get databaseUrl(): string {
    return this.#parts.get(this.#database)!.url;
  }

  /** Ends one relay by a signal, and waits until the script has started it again. The first is 0. */
  restart(relay: number, signal: NodeJS.Signals): Promise<void> {
    return this.#restart(`relay-${relay + 1}`, signal);
  }

  /** Kills the database with -9, and waits until the script has started it again. */
  killDatabase(): Promise<void> {
    return this.#restart(this.#database, 'SIGKILL');
  }

  /** Ctrl+C. @returns the exit code of the script. */
  async close(): Promise<number | null> {
    this.#script.kill('SIGINT');
    while (!this.#ended) await once(this.#changes, 'change');
    return this.#script.exitCode;
  }

  async #restart(name: string, signal: NodeJS.Signals): Promise<void> {
    const { pid } = this.#parts.get(name)!;
    // It may have ended by itself, which the script says as well.
    try {
      process.kill(pid, signal);
    } catch (cause) {
      throw new Error(`${name} is not there: ${this.output.slice(-100).join('\n')}`, { cause });
    }
    await this.#until(() => this.#parts.get(name)!.pid !== pid);
  }

  #read(line: string): void {
    this.output.push(line);
    const [, name, url, pid] = /^(\S+) {2}(\S+) {2}process (\d+)$/.exec(line) ?? [];
    if (name && url) this.#parts.set(name, { url, pid: Number(pid) });
    this.#changes.emit('change');
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#ended) throw new Error(`the cluster ended: ${this.output.join('\n')}`);
      await once(this.#changes, 'change');
    }
  }

  get #ended(): boolean {
    return this.#script.exitCode !== null || this.#script.signalCode !== null;
  }
}
