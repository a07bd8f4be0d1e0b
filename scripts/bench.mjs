import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, say } from './console.mjs';
import { ROOT } from './run.mjs';
import { setUp } from './setup.mjs';
import { suitesIn } from './suites.mjs';

/**
 * `npm run bench -- SUITE …`: measures, prints, and writes bench/results/SUITE.json. `--only PART,PART` measures some parts of a suite that
 * takes long, and writes them to a file of their own.
 */

const folder = join(ROOT, 'bench', 'src');
const known = suitesIn(folder);
const { wanted, only } = readArguments();
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
  const { run, PARTS = [] } = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  const stranger = only?.find((part) => !PARTS.includes(part));
  if (stranger !== undefined)
    fail(`"${name}" has no part "${stranger}".`, PARTS.length > 0 ? `It has ${PARTS.join(', ')}.` : 'It has none.');
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, memory: totalmem() };
  const file = join(ROOT, 'bench', 'results', `${[name, ...(only ?? [])].join('-')}.json`);
  mkdirSync(join(ROOT, 'bench', 'results'), { recursive: true });
  const save = (results) =>
    writeFileSync(file, `${JSON.stringify({ suite: name, at: new Date().toISOString(), machine, results }, null, 2)}\n`);
  // Suites that take long save after each part, too.
  save(await run({ only, save }));
  say(`Written to ${relative(ROOT, file)}`);
}
process.exit(0);

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true });
    return { wanted: positionals, only: values.only?.split(',') };
  } catch (error) {
    return fail(error.message, 'npm run bench -- SUITE … [--only PART,PART]');
  }
}
