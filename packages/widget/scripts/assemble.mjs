import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import { asParts } from './as-parts.mjs';
import { compressFolder } from './compress.mjs';
import { noticesOf } from './notices.mjs';

/**
 * Makes what is used without a bundler, from the component classes that Stencil built:
 *
 * - `dist/define.js`: one import that defines the element and loads its parts when they are shown
 * - `dist/cdn`: `qsec2-chat.js` for a script tag, and the parts it loads from beside it
 * - `dist/demo`: the same, and the demo page, whose own files carry a hash of their content in their names, so that a browser
 *   that has seen the page asks for nothing but the page
 *
 * Each file of the last two lies there compressed, too.
 */

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, '../dist');
const COMPONENTS = join(DIST, 'components');
const DEMO = join(HERE, '../../../examples/demo');

/** Few requests: what every page loads, what connects (the session and the SDK), what opens from the launcher, then what is looked at. */
const LAUNCHER = 'qsec2-chat';
const SESSION = 'session';
const SDK = 'sdk';
const PANEL = 'qsec2-panel';
/** The demo page's own code, with the launcher and the session: an opened link needs all of it at once. */
const PAGE = 'qsec2-demo';
/** Nearly all of these runs while keys are being agreed. */
const RUNS_WHOLE = (chunk) => chunk === SDK || chunk === SESSION;

/** The modules of each chunk that is loaded whole: what two chunks share belongs to the one that is there first. */
function chunksOf({ getModuleInfo, getModuleIds }, name, entry) {
  const reachable = (from, seen = new Set()) => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const next of getModuleInfo(from).importedIds) reachable(next, seen);
    return seen;
  };
  const session = reachable([...getModuleIds()].find((id) => getModuleInfo(id).exports?.includes('Session')));
  const sdk = [...session].flatMap((id) => getModuleInfo(id).dynamicallyImportedIds);
  return [
    [name, reachable(entry)],
    [name === PAGE ? PAGE : SESSION, session],
    [SDK, new Set(sdk.flatMap((id) => [...reachable(id)]))],
    [PANEL, reachable(join(COMPONENTS, 'qsec2-panel.js'))],
  ];
}

/** The demo page is written for the element beside it, and for the published SDK. */
const resolve = {
  name: 'resolve',
  resolveId: (source, importer) => {
    if (source === `./${LAUNCHER}.js` && importer === join(DEMO, 'demo.js')) return join(DIST, 'define.js');
    return /^[./]/.test(source) ? null : fileURLToPath(import.meta.resolve(source));
  },
};

async function write(folder, name, entry, entryFileNames) {
  const bundle = await rollup({ input: { [name]: entry }, plugins: [resolve, asParts(RUNS_WHOLE)] });
  let chunks;
  const { output } = await bundle.write({
    dir: join(DIST, folder),
    format: 'system',
    hoistTransitiveImports: false,
    entryFileNames,
    chunkFileNames: 'qsec2-[name]-[hash].js',
    manualChunks: (id, graph) => {
      chunks ??= chunksOf(graph, name, entry);
      return chunks.find(([, modules]) => modules.has(id))?.[0];
    },
  });
  await bundle.close();
  return (chunk) => output.find((file) => file.name === chunk).fileName;
}

await cp(join(HERE, 'define.js'), join(DIST, 'define.js'));
for (const folder of ['cdn', 'demo']) await rm(join(DIST, folder), { recursive: true, force: true });
await write('cdn', LAUNCHER, join(DIST, 'define.js'), '[name].js');
const named = await write('demo', PAGE, join(DEMO, 'demo.js'), '[name]-[hash].js');
await writeFile(join(DIST, 'cdn', 'LICENSES.txt'), await noticesOf(join(HERE, '..')));
await cp(join(DIST, 'cdn'), join(DIST, 'demo'), { recursive: true });
await cp(DEMO, join(DIST, 'demo'), { recursive: true, filter: (source) => !/\.(js|css|html)$/.test(source) });
const { metafile } = await build({
  entryPoints: { 'qsec2-style': join(DEMO, 'demo.css') },
  outdir: join(DIST, 'demo'),
  entryNames: '[name]-[hash]',
  metafile: true,
  bundle: true,
  minify: true,
  logLevel: 'error',
});

/** The page as it is written, with the names its files have got, and hints at what an opened link needs first and then. */
const hint = (kind, file) => `<link ${kind} href="${file}" />\n    `;
const hints = [
  hint('rel="preload" as="script" crossorigin', named(SDK)),
  hint('rel="prefetch" as="script" crossorigin', named(PANEL)),
];
const page = (await readFile(join(DEMO, 'index.html'), 'utf8'))
  .replace('<script type="module"', `${hints.join('')}$&`)
  .replace('"demo.js"', `"${named(PAGE)}"`)
  .replace('"demo.css"', `"${basename(Object.keys(metafile.outputs)[0])}"`);
await writeFile(join(DIST, 'demo', 'index.html'), page);
for (const folder of ['cdn', 'demo']) await compressFolder(join(DIST, folder));
