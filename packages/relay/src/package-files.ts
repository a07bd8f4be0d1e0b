import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the package holds besides its code. */

/** Sources, builds and tests lie at different depths below it. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const folder = packageFolder();

export const VERSION: string = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;

/** The widget's files, which the build puts into the package. Sources that were never built are without. */
export const WIDGET_FILES = join(folder, 'dist', 'widget');
