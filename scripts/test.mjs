import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findChromium } from './chromium.mjs';
import { fail, say } from './console.mjs';
import { bringNode, MAJORS } from './nodes.mjs';
import { bringPrograms } from './programs.mjs';
import { ROOT, runTool } from './run.mjs';
import { setUp } from './setup.mjs';

/** Installs and builds what is missing, then checks everything: style, types, units, real relays, real browsers. */

const began = Date.now();
const [missing, nodes] = await Promise.all([bringPrograms(), bringNodes(), setUp()]).catch((error) => fail(error.message));
let passed = 0;
/** What failed: a name each, with what it said. */
const failures = [];
/** Names of the tests that could not run here. */
const skipped = [];
const reports = mkdtempSync(join(tmpdir(), 'qsec2-test-'));

await check('Style and import rules', () => runTool('biome', ['check', '--error-on-warnings', '.']));
for (const folder of ['packages/sdk', 'packages/relay', 'e2e']) {
  await check(`Types of ${folder}`, () => runTool('tsc', ['--noEmit', '-p', folder]));
}
for (const { name, packages, reason } of missing) say(`There is no ${name} (${packages.join(', ')}): ${reason}.`);
for (const { name, reason } of nodes) say(`There is no ${name}: ${reason}`);
const chromium = await findChromium().catch((error) => fail(error.message));
await units();
await browsers();

rmSync(reports, { recursive: true, force: true });
say(`Took ${Math.round((Date.now() - began) / 1000)} s.`);
// Again at the end, where a log that was cut still has them.
for (const name of skipped) say(`Skipped: ${name}`);
if (skipped.length > 0 && process.env.CI) failures.push(`Nothing is skipped where CI is set, and ${skipped.length} tests were`);
for (const line of failures) say(`Failed: ${line}`);
const notRun = skipped.length > 0 ? [`${skipped.length} skipped${why()}`] : [];
console.log([`${passed} passed`, `${failures.length} failed`, ...notRun].join(', '));
process.exit(failures.length === 0 ? 0 : 1);

/** What is missing here; where nothing is, the names of the tests that were skipped say why. */
function why() {
  const names = [...missing, ...nodes].map(({ name }) => name);
  return names.length > 0 ? ` (missing here: ${names.join(', ')})` : '';
}

/** The Nodes that the SDK is tested on. @returns those that could not be had, and why */
async function bringNodes() {
  const missing = [];
  for (const major of MAJORS) {
    const reason = await bringNode(major);
    if (reason) missing.push({ name: `Node ${major}`, reason });
  }
  return missing;
}

/** A check that either holds or does not. */
async function check(name, command) {
  say(name);
  const { code } = await command();
  if (code === 0) passed++;
  else failures.push(name);
}

async function units() {
  say('Unit and integration tests');
  const report = join(reports, 'vitest.json');
  // More files at a time than the smallest machine has processors: tests mostly wait. Said here, for each project has a number of its own.
  const workers = '--maxWorkers=3';
  const { code } = await runTool(
    'vitest',
    ['run', workers, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    {
      env: { QSEC2_CHROMIUM: chromium },
    },
  );
  const results = readReport(report, 'vitest');
  passed += results.numPassedTests;
  for (const { name: file, assertionResults } of results.testResults) {
    const left = assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed');
    skipped.push(...left.map(({ fullName }) => `${relative(ROOT, file)} › ${fullName}`));
  }
  const named = results.testResults.flatMap(({ name: file, status, message, assertionResults }) => {
    const tests = assertionResults.filter((test) => test.status === 'failed');
    if (tests.length > 0) return tests.map((test) => failure(relative(ROOT, file), test.fullName, test.failureMessages));
    return status === 'failed' ? [failure(relative(ROOT, file), 'outside any test', [message])] : [];
  });
  // An error outside any test fails no single one of them.
  if (code !== 0 && named.length === 0) named.push('Unit and integration tests, outside any test');
  failures.push(...named);
}

async function browsers() {
  say(`Browser tests with ${chromium}`);
  const report = join(reports, 'playwright.json');
  const { code } = await runTool('playwright', ['test', '--config', 'e2e/playwright.config.ts', '--reporter=list,json'], {
    env: { QSEC2_CHROMIUM: chromium, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  });
  const { stats, suites } = readReport(report, 'playwright');
  passed += stats.expected;
  skipped.push(...suites.flatMap((suite) => specsOf(suite, 'skipped')).map(({ file, title }) => `${file} › ${title}`));
  const named = suites.flatMap(failedSpecs);
  if (code !== 0 && named.length === 0) named.push('Browser tests, outside any test');
  failures.push(...named);
}

/** The tests below a suite that ended in one of some ways. */
function specsOf(suite, ...ends) {
  const here = suite.specs.filter((spec) => spec.tests.some(({ status }) => ends.includes(status)));
  return [...here, ...(suite.suites ?? []).flatMap((inner) => specsOf(inner, ...ends))];
}

/** One that passed only when tried again has failed, too. */
function failedSpecs(suite) {
  return specsOf(suite, 'unexpected', 'flaky').map((spec) => {
    const errors = spec.tests.flatMap(({ results }) => results.flatMap((result) => result.errors));
    return failure(
      spec.file,
      spec.title,
      errors.map(({ message }) => message),
    );
  });
}

/** The beginning of what went wrong; the whole stands where it happened. */
function failure(file, test, messages) {
  return [`${file} › ${test}`, ...messages.join('\n').split('\n').slice(0, 12)].join('\n');
}

function readReport(path, tool) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    fail(`${tool} ended without a report; what went wrong stands above (in ${ROOT}).`);
  }
}
