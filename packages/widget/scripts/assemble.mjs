import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { rollup } from 'rollup';

/**
 * Makes what is used without a bundler, from the component classes that Stencil built:
 *
 * - `dist/define.js`: one import that defines the element and loads its parts when they are shown
 * - `dist/cdn`: `qsec2-chat.js` for a script tag, and the chunks it loads from beside it
 * - `dist/demo`: the same, and the demo page
 */

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, '../dist');
const COMPONENTS = join(DIST, 'components');
const DEMO = join(HERE, '../../../examples/demo');

/** Few requests, one after the other: the launcher with Stencil's runtime, then what opens from it, then what is looked at. */
const ENTRIES = [
  { chunk: 'qsec2-chat', module: join(COMPONENTS, 'qsec2-chat.js') },
  { chunk: 'qsec2-panel', module: join(COMPONENTS, 'qsec2-panel.js') },
];

/** What two chunks share belongs to the one that is there first. */
function chunkOf(id, { getModuleInfo }) {
  const reach = new Map();
  const reaches = (from, seen = new Set()) => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const next of getModuleInfo(from)?.importedIds ?? []) reaches(next, seen);
    return seen;
  };
  if (id.endsWith('define.js')) return ENTRIES[0].chunk;
  for (const { chunk, module } of ENTRIES) {
    if (!reach.has(module)) reach.set(module, reaches(module));
    if (reach.get(module).has(id)) return chunk;
  }
  return undefined;
}

const minify = {
  name: 'minify',
  renderChunk: (code) => transform(code, { format: 'esm', target: 'es2022', minify: true, legalComments: 'none' }),
};

await cp(join(HERE, 'define.js'), join(DIST, 'define.js'));

await rm(join(DIST, 'cdn'), { recursive: true, force: true });
const bundle = await rollup({ input: { 'qsec2-chat': join(DIST, 'define.js') }, plugins: [minify] });
await bundle.write({
  dir: join(DIST, 'cdn'),
  format: 'es',
  hoistTransitiveImports: false,
  entryFileNames: '[name].js',
  chunkFileNames: 'qsec2-[name]-[hash].js',
  manualChunks: chunkOf,
});
await bundle.close();

await rm(join(DIST, 'demo'), { recursive: true, force: true });
await mkdir(join(DIST, 'demo'), { recursive: true });
await cp(join(DIST, 'cdn'), join(DIST, 'demo'), { recursive: true });
await cp(DEMO, join(DIST, 'demo'), { recursive: true, filter: (source) => !source.endsWith('.js') });
await build({
  entryPoints: { demo: join(DEMO, 'demo.js') },
  outdir: join(DIST, 'demo'),
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'error',
});
