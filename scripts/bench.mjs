import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, say } from './console.mjs';
import { ROOT } from './run.mjs';
import { setUp } from './setup.mjs';
import { suitesIn } from './suites.mjs';

/** `npm run bench -- SUITE …`: measures, prints, and writes bench/results/SUITE.json. */

const folder = join(ROOT, 'bench', 'src');
const known = suitesIn(folder);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (wanted.length === 0 || unknown.length > 0) {
  fail(
    unknown.length > 0 ? `There is no benchmark "${unknown[0]}".` : 'Which benchmark?',
    `npm run bench -- ${known.join(' | ')}`,
  );
}

await setUp();
for (const name of wanted) {
  say(`Benchmark ${name}`);
  const { run } = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  const results = await run();
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, memory: totalmem() };
  const file = join(ROOT, 'bench', 'results', `${name}.json`);
  mkdirSync(join(ROOT, 'bench', 'results'), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ suite: name, at: new Date().toISOString(), machine, results }, null, 2)}\n`);
  say(`Written to bench/results/${name}.json`);
}
process.exit(0);
