import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

export const packageDir = fileURLToPath(new URL('../..', import.meta.url));

/** A change of the sources. */
export interface Edit {
  /** Relative to the sources. */
  file: string;
  from: string;
  to: string;
}

/** Faults put into the sources on purpose: what finds no fault in them finds none at all. */
export interface Mutant {
  name: string;
  edits: readonly Edit[];
}

const compiled = new Map<string, Promise<string>>();

/** Compiles the command from the sources under test, once a process; not the files another build left behind. */
export function compile(mutant?: Mutant): Promise<string> {
  const name = mutant?.name ?? 'relay';
  const compiling = compiled.get(name) ?? bundle(name, mutant);
  compiled.set(name, compiling);
  return compiling;
}

async function bundle(name: string, mutant?: Mutant): Promise<string> {
  // Inside the package, so that what it imports is found.
  const outdir = join(packageDir, 'node_modules', '.cache', `relay-test-${process.pid}`, name);
  mkdirSync(outdir, { recursive: true });
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  await build({
    entryPoints: [join(packageDir, 'src/cli.ts')],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: mutant ? [mutation(mutant)] : [],
    alias: { '@qsec2/sdk/wire': join(packageDir, '../sdk/src/wire/index.ts') },
  });
  return join(outdir, 'cli.mjs');
}

function mutation({ edits }: Mutant): Plugin {
  return {
    name: 'mutation',
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const own = edits.filter(({ file }) => path === join(packageDir, 'src', file));
        if (own.length === 0) return undefined;
        let contents = await readFile(path, 'utf8');
        for (const { file, from, to } of own) {
          if (!contents.includes(from)) throw new Error(`the mutant does not fit ${file} any more: ${from}`);
          contents = contents.replace(from, () => to);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** Ends a process with the one that runs the tests: a test that failed may have left it. */
export function endWithTests(child: ChildProcess, signal: NodeJS.Signals): void {
  const end = () => child.kill(signal);
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
}

/** Runs a command of the relay to its end. */
export async function runCli(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [await compile(), ...args], { env: { PATH: process.env.PATH ?? '', ...env } });
  endWithTests(child, 'SIGKILL');
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return { code, out, err };
}

/** Where a link leads; nowhere once it is gone. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

/** The environment of a relay that listens on a free port of the loopback address, with its data in a folder. */
export const environment = (dataDir: string): Record<string, string> => ({
  PORT: '0',
  RELAY_HOST: '127.0.0.1',
  RELAY_DATA_DIR: dataDir,
  RELAY_DATABASE_URL: `sqlite:${join(dataDir, 'relay.db')}`,
  PATH: process.env.PATH ?? '',
});

/** The relay as an operator runs it: a process of its own. */
export class ChildRelay {
  readonly process: ChildProcess;
  readonly url: string;
  readonly output: string[];

  readonly #lines: Interface;

  private constructor(process: ChildProcess, url: string, output: string[], lines: Interface) {
    this.process = process;
    this.url = url;
    this.output = output;
    this.#lines = lines;
  }

  /**
   * Starts it and waits until it says where it listens.
   *
   * @param env adds to the settings.
   * @param through a command that runs it, such as a tracer.
   */
  static async start(
    dataDir: string,
    env: Record<string, string> = {},
    mutant?: Mutant,
    through: readonly string[] = [],
  ): Promise<ChildRelay> {
    const [command, ...args] = [...through, process.execPath, await compile(mutant)];
    const child = spawn(command!, args, {
      env: { ...environment(dataDir), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithTests(child, 'SIGKILL');
    const output: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const lines = createInterface({ input: child.stdout });
    const url = await new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        output.push(line);
        const listening = /listens on (\S+)/.exec(line);
        if (listening?.[1]) resolve(listening[1]);
      });
      child.once('exit', (code) => reject(new Error(`the relay ended with ${code}: ${output.join('\n')}`)));
    });
    return new ChildRelay(child, url, output, lines);
  }

  /** Sockets the process has open, its listening one included, as Linux shows them. */
  get sockets(): number {
    const folder = `/proc/${this.process.pid}/fd`;
    return readdirSync(folder).filter((name) => targetOf(join(folder, name)).startsWith('socket:')).length;
  }

  /** Sends a signal, and waits for the line that the process says to it. */
  async signal(signal: NodeJS.Signals, answer: RegExp): Promise<string> {
    const answered = new Promise<string>((resolve) => {
      const look = (line: string) => {
        if (!answer.test(line)) return;
        this.#lines.off('line', look);
        resolve(line);
      };
      this.#lines.on('line', look);
    });
    this.process.kill(signal);
    return answered;
  }

  /** Everything it says: to the terminal, as metrics, and to an operator. */
  async said(): Promise<string[]> {
    const pages = ['/metrics', '/status', '/readyz'].map(async (path) => (await fetch(this.url + path)).text());
    return [this.output.join('\n'), ...(await Promise.all(pages))];
  }

  /** What it counts, by the names of its metrics without `qsec2_relay_`. */
  async metrics(): Promise<{ text: string; value(name: string): number }> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^qsec2_relay_${name} (.+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
    return { text, value };
  }

  /** @returns the exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null)
      return this.process.exitCode ?? this.process.signalCode;
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
      this.process.once('exit', (code, by) => resolve(code ?? by));
    });
    this.process.kill(signal);
    return ended;
  }
}
