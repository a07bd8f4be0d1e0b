import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, say } from './console.mjs';
import { missingPackages } from './installation.mjs';
import { isSampled } from './mutants/sample.mjs';
import { ROOT, run } from './run.mjs';
import { setUp } from './setup.mjs';

/**
 * `npm run mutants -- [FOLDER …] [--one-in N]`: small faults are put into the code, one at a time, and the package's own tests are run on
 * each. A fault that no test notices is a rule that no test holds. Prints those, and the share that was noticed of each folder.
 */

const TOOLS = join(ROOT, 'scripts', 'mutants');
/** Below this share the tests of a folder do not hold what they name. */
const LEAST = 0.85;

/** @typedef {{ package: string; files: string; oneIn: number }} Folder `files` below the package's `src`; `oneIn` leaves about 150 mutants */

/** @type {Record<string, Folder>} */
const FOLDERS = {
  protocol: { package: 'sdk', files: 'protocol', oneIn: 12 },
  room: { package: 'sdk', files: 'room', oneIn: 20 },
  bb84: { package: 'sdk', files: 'bb84', oneIn: 30 },
  media: { package: 'sdk', files: 'media', oneIn: 8 },
  hub: { package: 'relay', files: 'hub', oneIn: 5 },
  gateway: { package: 'relay', files: 'gateway', oneIn: 5 },
  frames: { package: 'relay', files: 'frames', oneIn: 2 },
  'widget-store': { package: 'widget', files: 'store', oneIn: 8 },
};

const { wanted, oneIn, only } = readArguments();
await setUp();
await bringTools();
const { Stryker } = await import(pathToFileURL(join(TOOLS, 'node_modules/@stryker-mutator/core/dist/src/index.js')).href);

/** @type {Map<string, { noticed: number; tried: number }>} */
const scores = new Map();
for (const name of wanted) scores.set(name, await mutate(name));

say('Noticed by the tests');
let low = 0;
for (const [name, { noticed, tried }] of scores) {
  const share = tried === 0 ? 0 : noticed / tried;
  if (share < LEAST) low++;
  console.log(`${name.padEnd(14)} ${`${noticed} of ${tried}`.padStart(12)} ${(share * 100).toFixed(1).padStart(6)} %`);
}
process.exit(low === 0 ? 0 : 1);

function readArguments() {
  const usage = `npm run mutants -- [${Object.keys(FOLDERS).join(' | ')}] … [--one-in N] [--only FILE]`;
  try {
    const options = { 'one-in': { type: 'string' }, only: { type: 'string' } };
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const stranger = positionals.find((name) => !Object.hasOwn(FOLDERS, name));
    if (stranger !== undefined) fail(`No mutants are made of "${stranger}".`, usage);
    const given = values['one-in'];
    if (given !== undefined && !/^[1-9]\d*$/.test(given)) fail('--one-in is a whole number, 1 for every mutant.', usage);
    return {
      wanted: positionals.length > 0 ? positionals : Object.keys(FOLDERS),
      oneIn: given === undefined ? undefined : Number(given),
      only: values.only,
    };
  } catch (error) {
    return fail(error.message, usage);
  }
}

async function bringTools() {
  if (missingPackages(TOOLS).length === 0) return;
  say('Installing the tools for mutation tests …');
  rmSync(join(TOOLS, 'node_modules'), { recursive: true, force: true });
  const { code } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: TOOLS });
  if (code !== 0) fail('npm could not install them; what went wrong stands above.', 'Check the network and try again.');
}

/** Tries the sample of a folder. */
async function mutate(name) {
  const folder = FOLDERS[name];
  const share = oneIn ?? folder.oneIn;
  const path = `packages/${folder.package}/src/${folder.files}`;
  say(`Mutants of ${path}: one in ${share}`);
  process.env.QSEC2_MUTANTS_OF = folder.package;
  const temporary = mkdtempSync(join(tmpdir(), 'qsec2-mutants-'));
  const report = join(temporary, 'report.json');
  try {
    await new Stryker({
      mutate: [`${path}/**/${only ?? '*'}.{ts,tsx}`, '!**/*.test.ts', '!**/testing/**'],
      testRunner: 'vitest',
      vitest: { configFile: join(TOOLS, 'vitest.config.mjs') },
      plugins: [join(TOOLS, 'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js'), join(TOOLS, 'sample-checker.mjs')],
      checkers: ['sample'],
      oneIn: share,
      warnings: { unknownOptions: false },
      ignorePatterns: ['bench/results', 'test-results'],
      coverageAnalysis: 'perTest',
      reporters: process.stdout.isTTY ? ['json', 'progress'] : ['json'],
      jsonReporter: { fileName: report },
      tempDirName: '.stryker-tmp',
      cleanTempDir: 'always',
      // The machine may be shared.
      dryRunTimeoutMinutes: 60,
      concurrency: 1,
      timeoutMS: 20_000,
      logLevel: 'warn',
      allowConsoleColors: false,
    }).runMutationTest();
    return tell(JSON.parse(readFileSync(report, 'utf8')), share);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Prints what no test noticed, by place. */
function tell({ files }, share) {
  let noticed = 0;
  let tried = 0;
  for (const [file, { mutants }] of Object.entries(files)) {
    for (const { location, replacement, status } of mutants) {
      const { line, column } = location.start;
      const path = resolve(ROOT, file);
      if (
        !['Killed', 'Timeout', 'Survived', 'NoCoverage'].includes(status) ||
        !isSampled({ file: path, line, replacement }, share)
      )
        continue;
      tried++;
      if (status === 'Killed' || status === 'Timeout') noticed++;
      else
        console.log(
          `${file}:${line}:${column} ${status === 'NoCoverage' ? 'not reached' : 'not noticed'}: ${replacement.replace(/\s+/g, ' ').slice(0, 100)}`,
        );
    }
  }
  return { noticed, tried };
}
