import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { installPacked } from './installed-packages.ts';

const NOBODY = 65_534;

/**
 * Runs a command as nobody, without any right, in a view of the file system in which everything but one folder is read-only. What is
 * mounted under something else cannot be seen and need not be changed.
 */
const CONFINE = `
writable=$1; shift
mount --make-rprivate / && mount --bind "$writable" "$writable" || exit 99
while read -r _ where _; do
  [ "$where" = "$writable" ] || mount -o remount,bind,ro "$where" 2> /dev/null
done < /proc/self/mounts
exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --no-new-privs --bounding-set=-all "$@"`;

/** Why a command cannot be confined here; undefined: it can. */
export function whyNotConfined(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can mount';
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-confined-'));
  const { status, error, stderr } = spawnSync(...confined(folder, ['true']), { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return status === 0 ? undefined : (error?.message ?? `no mount of its own: ${stderr.trim()}`);
}

/** @param writable the one folder that can be written to */
function confined(writable: string, command: readonly string[]): [string, string[]] {
  return ['unshare', ['-m', 'sh', '-c', CONFINE, 'sh', writable, ...command]];
}

interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** What a stranger gets: the package as npm packs it, in a folder that holds it and what it depends on, and nothing else. */
export class InstalledRelay {
  readonly #folder = mkdtempSync(join(tmpdir(), 'qsec2-installed-'));
  readonly app = join(this.#folder, 'app');
  readonly data = join(this.#folder, 'data');
  readonly #running = new Set<ChildProcess>();

  /** The files of the package are those of its tarball; its dependencies are copied from this checkout instead of fetched. */
  static async install(): Promise<InstalledRelay> {
    const relay = new InstalledRelay();
    // It has to be reached by others.
    chmodSync(relay.#folder, 0o755);
    installPacked(['relay'], relay.app);
    relay.makeData();
    return relay;
  }

  /** The data folder, empty. @param mode who may write to it */
  makeData(mode = 0o777): void {
    rmSync(this.data, { recursive: true, force: true });
    mkdirSync(this.data);
    chmodSync(this.data, mode);
  }

  /** Runs a command of the relay to its end, confined. */
  run(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
    return outcome(this.#spawn([...this.#command, ...args], env));
  }

  /** Runs any command as the relay is run. */
  runOther(command: readonly string[]): Promise<Outcome> {
    return outcome(this.#spawn(command, {}));
  }

  /** Starts to serve, confined. @returns its address, and a way to end it in good order */
  async serve(): Promise<{ url: string; stop(): Promise<number | null> }> {
    const child = this.#spawn([...this.#command], {});
    let output = '';
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const [, found] = /listens on (\S+)/.exec(line) ?? [];
        if (found) resolve(found);
        output += line;
      });
      child.once('exit', (code) => reject(new Error(`the relay ended with ${code}: ${output}`)));
    });
    const stop = async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = await ended;
      return code as number | null;
    };
    return { url, stop };
  }

  remove(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #command(): readonly string[] {
    return [process.execPath, join(this.app, 'node_modules/@qsec2/relay/dist/cli.js')];
  }

  #spawn(command: readonly string[], env: Record<string, string>): ChildProcess {
    const [file, args] = confined(this.data, command);
    const child = spawn(file, args, {
      cwd: this.app,
      env: {
        PATH: process.env.PATH ?? '',
        PORT: '0',
        RELAY_HOST: '127.0.0.1',
        RELAY_DATA_DIR: this.data,
        RELAY_DATABASE_URL: `sqlite:${join(this.data, 'relay.db')}`,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }
}

async function outcome(child: ChildProcess): Promise<Outcome> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = await once(child, 'close');
  return { code: code as number | null, out, err };
}
