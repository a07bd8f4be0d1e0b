import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, say } from './console.mjs';
import { ROOT } from './run.mjs';
import { setUp } from './setup.mjs';
import { suitesIn } from './suites.mjs';

/** `npm run soak -- SUITE …`: the long versions of tests that `npm test` runs short. */

const folder = join(ROOT, 'bench', 'soak');
const known = suitesIn(folder);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (wanted.length === 0 || unknown.length > 0) {
  fail(
    unknown.length > 0 ? `There is no soak test "${unknown[0]}".` : 'Which soak test?',
    `npm run soak -- ${known.join(' | ')}`,
  );
}

await setUp();
for (const name of wanted) {
  say(`Soak test ${name}`);
  const { run } = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  await run();
}
process.exit(0);
