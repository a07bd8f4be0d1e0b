import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mockKmePair } from '../testing/etsi014-mock/index.ts';

interface Finished {
  code: number | null;
  out: string;
  err: string;
}

let folder = '';

/** Runs the command as a user does: a process of its own, on the compiled file. */
function qsec2(...words: string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(folder, 'main.js'), ...words], { cwd: folder });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }));
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qsec2-cli-'));
  const entry = new URL('main.ts', import.meta.url).pathname;
  await build({
    entry: [entry],
    outDir: folder,
    format: 'esm',
    platform: 'node',
    noExternal: [/.*/],
    config: false,
    silent: true,
    splitting: false,
  });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('qsec2', () => {
  it('lists its commands', async () => {
    const { code, out } = await qsec2('--help');
    expect(code).toBe(0);
    for (const name of ['bb84 simulate', 'bb84 sweep', 'etsi014 doctor']) expect(out).toContain(name);
  });

  it('says so when there is no such command', async () => {
    const { code, out, err } = await qsec2('bb85', 'simulate');
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain('"bb85 simulate"');
  });

  it.each([
    ['bb84', 'simulate'],
    ['bb84', 'sweep'],
    ['etsi014', 'doctor'],
  ])('explains %s %s', async (...words) => {
    const { code, out, err } = await qsec2(...words, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: qsec2 ${words.join(' ')}`);
    expect(err).toBe('');
  });
});

describe('qsec2 bb84 simulate', () => {
  it('shows what each stage leaves', async () => {
    const { code, out, err } = await qsec2('bb84', 'simulate', '--pulses', '20000', '--flip', '1%', '--seed', '1');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain('simulated: single photons, flip 1 %');
    const stages = ['pulses', 'detected', 'sifted', 'sampled', 'raw key', 'disclosed', 'final'];
    const positions = stages.map((stage) => out.indexOf(`\n${stage}`));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(positions[0]).toBeGreaterThan(0);
    expect(out).toContain('no physical security');
  });

  it('prints the report as JSON, with no key in it', async () => {
    const { code, out } = await qsec2('bb84', 'simulate', '--json', '--pulses', '2^15', '--flip', '0.02', '--method', 'cascade');
    expect(code).toBe(0);
    const { outcome, report } = JSON.parse(out);
    expect(outcome).toBe('agreed');
    expect(report).toMatchObject({ pulses: 32768, detected: 32768, method: 'cascade', verified: true, provenance: 'simulated' });
    expect(report.finalBits).toBeGreaterThan(1000);
    expect(Object.keys(report)).not.toContain('key');
  });

  it('exits with 1 when an eavesdropper is found, and says what was seen', async () => {
    const { code, out } = await qsec2('bb84', 'simulate', '--intercept', '1', '--intercept-basis', 'z');
    expect(code).toBe(1);
    expect(out).toContain('QBER_EXCEEDED');
    expect(out).toContain('sampled');
    expect(out).not.toContain('\nfinal');
  });

  it('gives the reason as JSON too', async () => {
    const { code, out } = await qsec2('bb84', 'simulate', '--pulses', '200', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ outcome: 'aborted', error: { code: 'KEY_TOO_SHORT' } });
  });

  it('averages several runs', async () => {
    const { code, out } = await qsec2('bb84', 'simulate', '--runs', '5', '--pulses', '4096', '--flip', '0.01', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ runs: 5, agreed: 5 });
    const { out: text } = await qsec2('bb84', 'simulate', '--runs', '3', '--pulses', '4096', '--intercept', '1');
    expect(text).toContain('3 of 3 runs aborted without a key: QBER_EXCEEDED 3×');
  });

  it.each([
    [['--pulses', 'many'], '--pulses expects a number'],
    [['--pulses', '1.5'], '--pulses expects a whole number'],
    [['--pulses', '0'], '--pulses expects a number from 1'],
    [['--flip', '0.7'], '--flip expects a number from 0 to 0.5'],
    [['--loss', '0.1', '--km', '10'], '--loss and --km'],
    [['--intercept-basis', 'y', '--intercept', '1'], '--intercept-basis expects one of random, z, x, breidbart'],
    [['--intercept-basis', 'z'], 'give --intercept too'],
    [['--intensities', '0.5,0.1', '--source', 'single'], 'need --source decoy'],
    [['--unheard-of'], '--unheard-of'],
    [['--flip', 'NaN'], '--flip expects a number'],
    [['--loss=-0.1'], '--loss expects a number from 0 to 1'],
    [['--km=-1'], '--km expects a number from 0'],
    [['--km', 'Infinity'], '--km expects a number'],
    [['--runs', '0'], '--runs expects a number from 1'],
    [['--threshold', '0.9'], '--threshold: "threshold" expected a number between 0 and 0.5, got 0.9'],
    [['--eps-sec', '0'], '--eps-sec: "epsilon.secrecy" expected a number between 0 and 1, got 0'],
    [['--eps-cor', '2'], '--eps-cor: "epsilon.correctness"'],
    [['--z-probability', '1'], '--z-probability: "zProbability" expected a number from 0.01 to 0.99, got 1'],
    [['--sample', '1.5'], '--sample: "sampleFraction"'],
    [['--source', 'decoy', '--intensities', '0.1,0.5,0.01'], '--intensities: "intensities"'],
    [['--source', 'decoy', '--probabilities', '0.5,0.2,0.2'], '--probabilities: "probabilities" expected a sum of 1'],
    [['--source', 'decoy', '--probabilities', '0.5,0.5'], '--probabilities: "probabilities"'],
  ])('refuses %j with 2 and a reason', async (words, reason) => {
    const { code, out, err } = await qsec2('bb84', 'simulate', ...words);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(reason);
    expect(err).toContain('--help');
  });
});

describe('qsec2 bb84 sweep', () => {
  it('writes a table and a plot over distance', async () => {
    const { code, out, err } = await qsec2(
      'bb84',
      'sweep',
      '--over',
      'distance',
      '--step',
      '40',
      '--pulses',
      '1e10',
      '--csv',
      'rate.csv',
      '--svg',
      'rate.svg',
    );
    expect([code, out, err]).toEqual([0, '', '']);
    const rows = (await readFile(join(folder, 'rate.csv'), 'utf8'))
      .trim()
      .split('\r\n')
      .map((line) => line.split(','));
    expect(rows[0]).toEqual(['km', 'decoy_asymptotic', 'decoy_1e10', 'no_decoy_asymptotic', 'no_decoy_1e10']);
    expect(rows.slice(1).map(([km]) => km)).toEqual(['0', '40', '80', '120', '160', '200', '240']);
    const column = (index: number): number[] => rows.slice(1).map((row) => Number(row[index]));
    for (const index of [1, 2, 3, 4]) expect(column(index)).toEqual(column(index).toSorted((a, b) => b - a));
    const [decoy, finite, without, finiteWithout] = [1, 2, 3, 4].map(
      (index) => column(index).filter((rate) => rate > 0).length,
    ) as [number, number, number, number];
    expect(decoy).toBeGreaterThanOrEqual(finite);
    expect(finite).toBeGreaterThan(without);
    expect(without).toBeGreaterThanOrEqual(finiteWithout);
    for (const [i, rate] of column(2).entries()) expect(rate).toBeLessThanOrEqual(column(1)[i] as number);

    const svg = await readFile(join(folder, 'rate.svg'), 'utf8');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).toContain('<title id="title">');
    expect(svg.match(/<path d="M[^"]*" fill="none" stroke="#/g)?.length).toBe(8); // four curves, four legend lines
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('prints a table over the error rate', async () => {
    const { code, out } = await qsec2(
      'bb84',
      'sweep',
      '--over',
      'qber',
      '--from',
      '0',
      '--to',
      '12%',
      '--step',
      '4%',
      '--bits',
      '1e5',
    );
    expect(code).toBe(0);
    const rows = out
      .trim()
      .split('\r\n')
      .map((line) => line.split(','));
    expect(rows[0]).toEqual(['qber', 'asymptotic', 'tight_1e5', 'serfling_1e5']);
    expect(rows.map(([rate]) => rate)).toEqual(['qber', '0', '0.04', '0.08', '0.12']);
    expect(rows.at(-1)?.slice(1)).toEqual(['0', '0', '0']);
    expect(rows[1]?.[1]).toBe('1');
  });

  it.each([
    [[], '--over is missing'],
    [['--over', 'time'], '--over expects one of distance, qber'],
    [['--over', 'qber', '--pulses', '1e9'], '--pulses means nothing in a sweep over qber'],
    [['--over', 'qber', '--from', '0.2', '--to', '0.1'], 'empty range'],
    [['--over', 'distance', '--step', '0.0001'], 'more than 10000'],
    [['--over', 'distance', '--from=-5'], '--from expects a number from 0'],
    [['--over', 'distance', '--flip', '5'], '--flip expects a number from 0 to 0.5'],
    [['--over', 'distance', '--dark-count', 'NaN'], '--dark-count expects a number'],
    [['--over', 'distance', '--efficiency-ec', '0.9'], '--efficiency-ec expects a number from 1'],
    [['--over', 'qber', '--eps-sec', '0'], '--eps-sec: "epsSec" expected a number between 0 and 1, got 0'],
    [['--over', 'qber', '--to', '0.6'], '--to expects a number from 0 to 0.5'],
    [['--over', 'qber', '--sample', '2'], '--sample expects a number from 0 to 1'],
  ])('refuses %j with 2 and a reason', async (words, reason) => {
    const { code, err } = await qsec2('bb84', 'sweep', ...words);
    expect(code).toBe(2);
    expect(err).toContain(reason);
  });

  it('says which file it cannot write', async () => {
    const { code, err } = await qsec2('bb84', 'sweep', '--over', 'qber', '--csv', 'nowhere/at/all.csv');
    expect(code).toBe(1);
    expect(err).toContain('nowhere/at/all.csv');
  });
});

describe('qsec2 etsi014 doctor', () => {
  it('probes a key management entity over mutual TLS', async () => {
    await using kmes = await mockKmePair();
    const contents = { cert: kmes.saeA.cert, key: kmes.saeA.key, ca: kmes.authority.cert };
    for (const [name, text] of Object.entries(contents)) await writeFile(join(folder, `${name}.pem`), text);
    const words = ['etsi014', 'doctor', '--kme', kmes.a.url, '--peer', 'SAE_B', '--cert', 'cert.pem', '--key', 'key.pem'];
    const healthy = await qsec2(...words, '--ca', 'ca.pem', '--draw');
    expect([healthy.code, healthy.err]).toEqual([0, '']);
    expect(healthy.out).toContain('All is well');
    const distrusted = await qsec2(...words);
    expect(distrusted.code).toBe(1);
    expect(distrusted.out).toContain('(tls)');
  });

  it.each([
    [[], '--kme is missing'],
    [['--kme', 'https://localhost', '--peer', 'b', '--cert', 'nowhere.pem', '--key', 'k'], 'nowhere.pem'],
  ])('refuses %j', async (words, reason) => {
    const { code, err } = await qsec2('etsi014', 'doctor', ...words);
    expect(code).toBe(words.length === 0 ? 2 : 1);
    expect(err).toContain(reason);
  });
});

describe('the plot in the documentation', () => {
  const documents = new URL('../../../../docs/', import.meta.url);

  it('is made by the command that the page names', async () => {
    const page = await readFile(new URL('bb84.md', documents), 'utf8');
    const [, words = ''] = /^npx -p @qsec2\/sdk qsec2 (bb84 sweep --over distance --svg .*)$/m.exec(page) ?? [];
    const local = words.replaceAll('docs/images/', '').split(' ');
    expect((await qsec2(...local)).code).toBe(0);
    for (const name of local.filter((word) => /\.(svg|csv)$/.test(word))) {
      expect(await readFile(join(folder, name), 'utf8')).toBe(await readFile(new URL(`images/${name}`, documents), 'utf8'));
    }
  });
});
