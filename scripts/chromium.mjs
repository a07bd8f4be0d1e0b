import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { say } from './console.mjs';
import { run } from './run.mjs';

/** Finds a Chromium for the browser tests, or installs one. */

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** @returns {Promise<string>} path of an executable */
export async function findChromium() {
  const found = await present();
  if (found) return found;

  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say("Installing Debian's Chromium for the browser tests …");
    await run('apt-get', ['update', '-qq']);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-noto-color-emoji'], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
  } else {
    say("Downloading Playwright's Chromium for the browser tests …");
    await run('npx', ['--no-install', 'playwright', 'install', 'chromium']);
  }
  const installed = await present();
  if (installed) return installed;
  throw new Error(
    'No Chromium was found and none could be installed. Install one (Debian: apt-get install chromium) or set QSEC2_CHROMIUM to the path of one.',
  );
}

async function present() {
  const configured = process.env.QSEC2_CHROMIUM;
  if (configured) {
    if (existsSync(configured)) return configured;
    throw new Error(`QSEC2_CHROMIUM names ${configured}, which does not exist.`);
  }
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const system = [...onPath, MAC].find((path) => existsSync(path));
  return system ?? playwrights();
}

async function playwrights() {
  const { chromium } = await import('@playwright/test');
  const path = chromium.executablePath();
  return path && existsSync(path) ? path : undefined;
}
