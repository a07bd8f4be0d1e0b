import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.mjs';
import { fail, say } from './console.mjs';
import { bringNewerNode } from './newer-node.mjs';
import { ROOT, runTool } from './run.mjs';
import { setUp } from './setup.mjs';

/** Installs and builds what is missing, then checks everything: style, types, units, real relays, real browsers. */

const began = Date.now();
await setUp();
// Comes while other things are checked.
const newer = bringNewerNode();
let passed = 0;
let failed = 0;
const reports = mkdtempSync(join(tmpdir(), 'qsec2-test-'));

await check('Style and import rules', () => runTool('biome', ['check', '--error-on-warnings', '.']));
for (const folder of ['packages/sdk', 'packages/relay', 'e2e']) {
  await check(`Types of ${folder}`, () => runTool('tsc', ['--noEmit', '-p', folder]));
}
const missing = await newer;
if (missing) say(`No newer Node: native ML-KEM is not tested against ours, only its committed answers. ${missing}`);
await units();
await browsers();

rmSync(reports, { recursive: true, force: true });
say(`Took ${Math.round((Date.now() - began) / 1000)} s.`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** A check that either holds or does not. */
async function check(name, command) {
  say(name);
  const { code } = await command();
  if (code === 0) passed++;
  else failed++;
}

async function units() {
  say('Unit and integration tests');
  const report = join(reports, 'vitest.json');
  const { code } = await runTool('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
  const results = readReport(report, 'vitest');
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  // A file that does not load, or an error outside any test, fails no single one of them.
  if (code !== 0 && results.numFailedTests === 0) failed++;
}

async function browsers() {
  let chromium;
  try {
    chromium = await findChromium();
  } catch (error) {
    fail(error.message);
  }
  say(`Browser tests with ${chromium}`);
  const report = join(reports, 'playwright.json');
  const { code } = await runTool('playwright', ['test', '--config', 'e2e/playwright.config.ts', '--reporter=list,json'], {
    env: { QSEC2_CHROMIUM: chromium, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  });
  const { stats } = readReport(report, 'playwright');
  passed += stats.expected;
  failed += stats.unexpected + stats.flaky;
  if (code !== 0 && stats.unexpected + stats.flaky === 0) failed++;
}

function readReport(path, tool) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    fail(`${tool} ended without a report; what went wrong stands above (in ${ROOT}).`);
  }
}
