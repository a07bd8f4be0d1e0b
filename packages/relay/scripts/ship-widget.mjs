import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Puts the widget's files, as they were built, into the package: a relay serves the element that fits it. */

const from = fileURLToPath(new URL('../../widget/dist/cdn', import.meta.url));
const to = fileURLToPath(new URL('../dist/widget', import.meta.url));

if (!existsSync(from)) {
  console.error('The widget is not built: npm run build --workspace packages/widget');
  process.exit(1);
}
// The build has just emptied dist.
cpSync(from, to, { recursive: true });
