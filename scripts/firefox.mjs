import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Finds a Firefox for the one test that runs in it; `npm test` brings Debian's. */

const NAMES = ['firefox-esr', 'firefox'];
const MAC = '/Applications/Firefox.app/Contents/MacOS/firefox';

/** Path of an executable; undefined where there is none. */
export function installedFirefox() {
  const configured = process.env.QSEC2_FIREFOX;
  if (configured) {
    if (existsSync(configured)) return configured;
    throw new Error(`QSEC2_FIREFOX names ${configured}, which does not exist.`);
  }
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...onPath, MAC].find((path) => existsSync(path));
}
