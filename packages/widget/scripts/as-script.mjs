import { readFileSync } from 'node:fs';
import { transform } from 'esbuild';

/**
 * A Rollup plugin: one chunk becomes a script, and a module in its place that exports what the script holds.
 *
 * Chromium keeps the compiled code of what a returning visitor has loaded before. It takes a script's from there, on another
 * thread; a module it compiles again (Chromium 156, measured). Other browsers lose nothing by it.
 */
export function asScript(name) {
  return {
    name: 'as-script',
    augmentChunkHash: (chunk) => (chunk.name === name ? OURS : ''),
    renderDynamicImport: ({ targetChunk }) =>
      targetChunk?.name === name ? { left: `(${held})(`, right: ',import.meta.url)' } : null,
    async generateBundle(_, bundle) {
      const chunk = Object.values(bundle).find((file) => file.type === 'chunk' && file.name === name);
      if (chunk.imports.length > 0) throw new Error(`${chunk.fileName} imports ${chunk.imports}: a script cannot.`);
      const { code } = await transform(chunk.code, { ...SMALL, format: 'iife', globalName: 'all' });
      const fileName = scriptOf(chunk.fileName);
      const source = `window["./${chunk.fileName}"]=(()=>{${code.trim()}return all})();`;
      this.emitFile({ type: 'asset', fileName, source: chunk.code.startsWith(COMPILE_WHOLE) ? COMPILE_WHOLE + source : source });
      chunk.code = await moduleOf(chunk);
    },
  };
}

/** The file that holds the script of a chunk. */
export const scriptOf = (fileName) => `${fileName.slice(0, -2)}script.js`;

/**
 * Browsers that know the hint compile a file whole, on another thread while it loads, rather than each function on the page's
 * thread when it is first called (https://v8.dev/blog/explicit-compile-hints).
 */
export const COMPILE_WHOLE = '//# allFunctionsCalledOnLoad\n';

const SMALL = { minify: true, target: 'es2022', legalComments: 'none' };

/** What is in the chunk's files besides its modules: another name for them, too, when it changes. */
const OURS = readFileSync(new URL(import.meta.url), 'utf8');

/** In place of the chunk, for the parts that are loaded later and share what the script holds. */
async function moduleOf({ fileName, exports }) {
  const lines = [
    `const all=await (${held})("./${fileName}",import.meta.url);`,
    ...exports.map((name, i) => `const v${i}=all.${name};`),
    `export{${exports.map((name, i) => `v${i} as ${name}`).join(',')}};`,
  ];
  return (await transform(lines.join('\n'), { ...SMALL, format: 'esm' })).code;
}

/**
 * In place of an import of the module at `path`: what its script holds. It runs once, whoever asks meanwhile. One that did not arrive can
 * be asked for again, while a module that failed has failed for good. A page's policy may allow modules and no added scripts: then the
 * same file is imported, which does the same.
 */
async function held(path, from) {
  const url = new URL(`${path.slice(0, -2)}script.js`, from).href;
  const run = async () => {
    try {
      const src = window.trustedTypes?.createPolicy('qsec2', { createScriptURL: () => url }).createScriptURL('') ?? url;
      const nonce = document.querySelector('[nonce]')?.nonce ?? '';
      await new Promise((done) => {
        document.head.append(Object.assign(document.createElement('script'), { src, nonce, onload: done, onerror: done }));
      });
    } catch {
      // Refused by the page's policy.
    }
    if (!window[path]) await import(url);
  };
  if (!window[path]) {
    window[url] ??= run().finally(() => delete window[url]);
    await window[url];
  }
  return window[path];
}
