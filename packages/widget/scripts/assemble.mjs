import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Makes what is used without a bundler, from the component classes that Stencil built:
 *
 * - `dist/define.js`: one import that defines the element and loads its parts when they are shown
 * - `dist/cdn`: `qsec2-chat.js` for a script tag, and the chunks it loads from beside it
 * - `dist/demo`: the same, and the demo page
 */

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, '../dist');
const DEMO = join(HERE, '../../../examples/demo');

const common = { bundle: true, format: 'esm', minify: true, target: 'es2022', legalComments: 'none', logLevel: 'warning' };

await cp(join(HERE, 'define.js'), join(DIST, 'define.js'));

await rm(join(DIST, 'cdn'), { recursive: true, force: true });
await build({
  ...common,
  entryPoints: { 'qsec2-chat': join(DIST, 'define.js') },
  outdir: join(DIST, 'cdn'),
  splitting: true,
  chunkNames: 'qsec2-[name]-[hash]',
});

await rm(join(DIST, 'demo'), { recursive: true, force: true });
await mkdir(join(DIST, 'demo'), { recursive: true });
await cp(join(DIST, 'cdn'), join(DIST, 'demo'), { recursive: true });
await cp(DEMO, join(DIST, 'demo'), { recursive: true, filter: (source) => !source.endsWith('.js') });
await build({ ...common, entryPoints: { demo: join(DEMO, 'demo.js') }, outdir: join(DIST, 'demo') });
