import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { say } from './console.mjs';
import { run } from './run.mjs';

/** Finds a Chromium for the browser tests. */

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/**
 * The one that is installed, or Playwright's own, which is downloaded where it is missing.
 *
 * @returns {Promise<string>} path of an executable
 */
export async function findChromium() {
  const found = installedChromium() ?? (await playwrights());
  if (found) return found;
  say("Downloading Playwright's Chromium for the browser tests …");
  await run('npx', ['--no-install', 'playwright', 'install', 'chromium']);
  const downloaded = await playwrights();
  if (downloaded) return downloaded;
  throw new Error(
    'No Chromium was found and none could be downloaded. Install one (Debian: apt-get install chromium) or set QSEC2_CHROMIUM to the path of one.',
  );
}

/** @returns {string | undefined} path of the machine's own */
export function installedChromium() {
  const configured = process.env.QSEC2_CHROMIUM;
  if (configured) {
    if (existsSync(configured)) return configured;
    throw new Error(`QSEC2_CHROMIUM names ${configured}, which does not exist.`);
  }
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...onPath, MAC].find((path) => existsSync(path));
}

async function playwrights() {
  const { chromium } = await import('@playwright/test');
  const path = chromium.executablePath();
  return path && existsSync(path) ? path : undefined;
}
