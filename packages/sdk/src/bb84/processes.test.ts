import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
let folder = '';

/** What each process runs: its side of the engine and nothing of the other's, speaking length-prefixed messages on its pipes. */
const program = (side: string, create: string): string => `
  import { ${side === 'Alice' ? 'Alice' : 'Bob'} as Side } from './${side.toLowerCase()}.ts';
  ${side === 'Alice' ? "import { interceptResend, simulatedChannel } from './channel/index.ts';" : ''}
  import { cascade } from './reconciliation/cascade.ts';
  import { ldpc } from './reconciliation/ldpc.ts';
  const side = new Side(${create});
  const send = (message) => {
    if (!message) return;
    const size = Buffer.alloc(4);
    size.writeUInt32BE(message.length);
    process.stdout.write(Buffer.concat([size, message]));
  };
  const finish = () => {
    if (!side.result && !side.failure) return;
    const key = side.result && Buffer.from(side.result.key).toString('hex');
    const outcome = JSON.stringify({ key, code: side.failure?.code, sampled: side.sampled, errors: side.errors });
    process.stderr.write(outcome, () => process.exit(0));
  };
  let held = Buffer.alloc(0);
  process.stdin.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const size = held.readUInt32BE(0);
      const message = new Uint8Array(held.subarray(4, 4 + size));
      held = held.subarray(4 + size);
      send(side.next(message));
      finish();
    }
  });
  ${side === 'Alice' ? 'send(side.next());' : ''}
`;

async function bundle(name: string, side: 'Alice' | 'Bob', create: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  const stdin = { contents: program(side, create), resolveDir: here, loader: 'ts' as const };
  await build({ stdin, bundle: true, format: 'esm', platform: 'node', target: 'node20', outfile, logLevel: 'error' });
  return outfile;
}

interface Outcome {
  key?: string;
  code?: string;
  sampled: number;
  errors: number;
}

/** Connects two processes, pipe to pipe. */
async function connected(alice: string, bob: string): Promise<[Outcome, Outcome]> {
  const [a, b] = [alice, bob].map((file) => spawn(process.execPath, [file], { stdio: 'pipe' }));
  if (!a || !b) throw new Error('no process');
  a.stdout.pipe(b.stdin);
  b.stdout.pipe(a.stdin);
  const outcome = (child: typeof a): Promise<Outcome> =>
    new Promise((done, failed) => {
      let text = '';
      child.stderr.on('data', (chunk) => {
        text += chunk;
      });
      child.on('close', (code) => {
        if (code === 0) done(JSON.parse(text));
        else failed(new Error(text));
      });
    });
  return Promise.all([outcome(a), outcome(b)]);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qsec2-bb84-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('two processes agree a key over pipes, with either method', async () => {
  const bob = await bundle('bob', 'Bob', '{ method: [ldpc(), cascade()] }');
  for (const method of ['ldpc()', 'cascade()']) {
    const alice = await bundle('alice', 'Alice', `{ method: ${method}, channel: simulatedChannel({ flip: 0.02 }) }`);
    const [a, b] = await connected(alice, bob);
    expect(a.code).toBeUndefined();
    expect(a.key).toMatch(/^[0-9a-f]{200,}$/);
    expect(b).toEqual(a);
    expect(a.errors).toBeGreaterThan(0);
  }
});

test('two processes both learn of an eavesdropper', async () => {
  const bob = await bundle('bob', 'Bob', '{ method: [ldpc(), cascade()] }');
  const alice = await bundle('alice', 'Alice', '{ channel: simulatedChannel({ eavesdropper: interceptResend(1) }) }');
  const [a, b] = await connected(alice, bob);
  expect(a).toMatchObject({ code: 'QBER_EXCEEDED' });
  expect(b).toEqual(a);
});

/** Every file that a module loads, itself included, by relative path. */
function reachable(entry: string, seen = new Set<string>()): Set<string> {
  const name = relative(here, entry);
  if (seen.has(name)) return seen;
  seen.add(name);
  const source = readFileSync(entry, 'utf8');
  for (const [, path] of source.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)';/gms)) {
    reachable(resolve(dirname(entry), path as string), seen);
  }
  return seen;
}

test('no module of one side imports the other’s', () => {
  const alice = reachable(join(here, 'alice.ts'));
  const bob = reachable(join(here, 'bob.ts'));
  expect(alice.has('reconciliation/ldpc.ts')).toBe(true);
  expect(bob.has('channel/measurement.ts')).toBe(true);
  for (const other of ['bob.ts', 'agree.ts', 'channel/measurement.ts']) expect(alice).not.toContain(other);
  for (const other of ['alice.ts', 'agree.ts', 'channel/simulated-channel.ts']) expect(bob).not.toContain(other);
  expect(reachable(join(here, 'reconciliation/cascade-sender.ts'))).not.toContain('reconciliation/cascade-receiver.ts');
  expect(reachable(join(here, 'reconciliation/cascade-receiver.ts'))).not.toContain('reconciliation/cascade-sender.ts');
});

test('the engine imports the ground floor and itself, and nothing else', () => {
  const files = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter((name) => /(?<!\.test)\.ts$/.test(name));
  expect(files.length).toBeGreaterThan(30);
  for (const name of files) {
    const source = readFileSync(join(here, name), 'utf8');
    for (const [, path] of source.matchAll(/from '([^']+)';/g)) {
      const target = relative(here, resolve(here, dirname(name), path as string));
      expect(path).toMatch(/^\./);
      if (target.startsWith('..')) expect(['../errors.ts', '../events.ts']).toContain(target);
    }
  }
});
