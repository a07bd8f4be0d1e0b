import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { rollup } from 'rollup';

/**
 * Makes what is used without a bundler, from the component classes that Stencil built:
 *
 * - `dist/define.js`: one import that defines the element and loads its parts when they are shown
 * - `dist/cdn`: `qsec2-chat.js` for a script tag, and the chunks it loads from beside it
 * - `dist/demo`: the same, and the demo page, whose own files carry a hash of their content in their names, so that a browser
 *   that has seen the page asks for nothing but the page
 */

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, '../dist');
const COMPONENTS = join(DIST, 'components');
const DEMO = join(HERE, '../../../examples/demo');

/**
 * Few requests: the launcher with Stencil's runtime, what connects (the session and the SDK), what opens from the launcher, then
 * what is looked at.
 */
const LAUNCHER = 'qsec2-chat';
const SESSION = 'session';
const SDK = 'sdk';
const PANEL = 'qsec2-panel';

/** The modules of each chunk that is loaded whole: what two chunks share belongs to the one that is there first. */
function chunksOf({ getModuleInfo, getModuleIds }) {
  const reachable = (from, seen = new Set()) => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const next of getModuleInfo(from).importedIds) reachable(next, seen);
    return seen;
  };
  const session = reachable([...getModuleIds()].find((id) => getModuleInfo(id).exports?.includes('Session')));
  const sdk = [...session].flatMap((id) => getModuleInfo(id).dynamicallyImportedIds);
  return [
    [LAUNCHER, reachable(join(COMPONENTS, 'qsec2-chat.js'))],
    [SESSION, session],
    [SDK, new Set(sdk.flatMap((id) => [...reachable(id)]))],
    [PANEL, reachable(join(COMPONENTS, 'qsec2-panel.js'))],
  ];
}

function chunkOf(id, graph) {
  if (id.endsWith('define.js')) return LAUNCHER;
  graphs.set(graph.getModuleInfo, graphs.get(graph.getModuleInfo) ?? chunksOf(graph));
  return graphs.get(graph.getModuleInfo).find(([, modules]) => modules.has(id))?.[0];
}
const graphs = new Map();

/**
 * Nearly all of the SDK runs while keys are being agreed. Browsers that know the hint compile it whole, on another thread while it
 * loads, rather than each function on the page's thread when it is first called (https://v8.dev/blog/explicit-compile-hints).
 */
const COMPILE_WHOLE = '//# allFunctionsCalledOnLoad\n';

const minify = {
  name: 'minify',
  async renderChunk(source, { name }) {
    const { code } = await transform(source, { format: 'esm', target: 'es2022', minify: true, legalComments: 'none' });
    return { code: name === SDK || name === SESSION ? COMPILE_WHOLE + code : code, map: null };
  },
};

await cp(join(HERE, 'define.js'), join(DIST, 'define.js'));

const bundle = await rollup({ input: { 'qsec2-chat': join(DIST, 'define.js') }, plugins: [minify] });
const write = (folder, entryFileNames) =>
  bundle.write({
    dir: join(DIST, folder),
    format: 'es',
    hoistTransitiveImports: false,
    entryFileNames,
    chunkFileNames: 'qsec2-[name]-[hash].js',
    manualChunks: chunkOf,
  });

for (const folder of ['cdn', 'demo']) await rm(join(DIST, folder), { recursive: true, force: true });
await write('cdn', '[name].js');
const { output } = await write('demo', '[name]-[hash].js');
await bundle.close();
const named = (name) => output.find((chunk) => chunk.name === name).fileName;
await cp(join(DIST, 'cdn'), join(DIST, 'demo'), { recursive: true });
await cp(DEMO, join(DIST, 'demo'), { recursive: true, filter: (source) => !/\.(js|css|html)$/.test(source) });
const { metafile } = await build({
  entryPoints: { 'qsec2-demo': join(DEMO, 'demo.js'), 'qsec2-style': join(DEMO, 'demo.css') },
  outdir: join(DIST, 'demo'),
  entryNames: '[name]-[hash]',
  metafile: true,
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'error',
  plugins: [
    {
      name: 'element-beside-the-page',
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/qsec2-chat\.js$/ }, () => ({ path: `./${named(LAUNCHER)}`, external: true })),
    },
  ],
});

/** The page as it is written, with the names its files have got, and hints at what an opened link needs first and then. */
const built = (entry) =>
  basename(Object.keys(metafile.outputs).find((file) => metafile.outputs[file].entryPoint?.endsWith(entry)));
const hint = (rel, name) => `<link rel="${rel}" href="${named(name)}" />\n    `;
const hints = [...[SDK, SESSION, LAUNCHER].map((name) => hint('modulepreload', name)), hint('prefetch', PANEL)];
const page = (await readFile(join(DEMO, 'index.html'), 'utf8'))
  .replace('<script type="module"', `${hints.join('')}$&`)
  .replace('"demo.js"', `"${built('demo.js')}"`)
  .replace('"demo.css"', `"${built('demo.css')}"`);
await writeFile(join(DIST, 'demo', 'index.html'), page);
