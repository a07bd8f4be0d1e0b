import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { transform, transformSync } from 'esbuild';
import { withGenuine } from './built-ins.mjs';

/**
 * A Rollup plugin for output in the format `system`: the entry becomes a module that brings the loader of the parts, every other chunk a
 * script that leaves what it is with that loader (`part-loader.js`, which says why).
 *
 * @param {(name: string) => boolean} compileWhole whether nearly all of a chunk's functions run once it is loaded
 */
export function asParts(compileWhole) {
  return {
    name: 'as-parts',
    async renderChunk(source, { name, fileName, isEntry }, { format }) {
      if (format !== 'system') throw new Error('Parts are made of chunks in the format "system".');
      if (!source.startsWith(REGISTER)) throw new Error(`${fileName} is not a call of System.register.`);
      const rest = source.slice(REGISTER.length);
      const code = isEntry
        ? `${LOADER}\npartLoader(import.meta.url,"./${fileName}",${BUILD},"./${currentOf(name)}")(${rest}`
        : `${DEPOSIT}.set("./${fileName}",[${rest.replace(/\);\s*$/, ']);')}`;
      const { declarations, code: genuine } = withGenuine(code);
      const whole = isEntry ? BEFORE + declarations + genuine : `{${declarations}${genuine}}`;
      const { code: small } = await transform(whole, {
        ...SMALL,
        ...(isEntry && { format: 'esm' }),
      });
      return { code: compileWhole(name) ? COMPILE_WHOLE + small : small, map: null };
    },
    generateBundle(_, bundle) {
      this.emitFile({ type: 'asset', ...GENUINE });
      const chunks = Object.values(bundle).filter(({ type }) => type === 'chunk');
      const hash = createHash('sha256');
      for (const { code } of chunks.sort((a, b) => (a.fileName < b.fileName ? -1 : 1))) hash.update(code);
      const build = JSON.stringify(hash.digest('base64url').slice(0, 8));
      for (const chunk of chunks.filter(({ isEntry }) => isEntry)) {
        chunk.code = chunk.code.replaceAll(BUILD, build);
        const fileName = currentOf(chunk.name);
        this.emitFile({ type: 'asset', fileName, source: `${DEPOSIT}.set("./${fileName}",${build});\n` });
      }
      const reaches = (from, target, seen = new Set()) =>
        bundle[from].imports.some((next) => next === target || (!seen.has(next) && reaches(next, target, seen.add(next))));
      for (const { fileName, isEntry, imports } of chunks) {
        if (reaches(fileName, fileName)) throw new Error(`${fileName} depends on itself, by ${imports}.`);
        if (isEntry && imports.length > 0) throw new Error(`${fileName}, the entry, imports ${imports}: it has to be whole.`);
      }
    },
  };
}

const REGISTER = 'System.register(';

/** The file that says of which build an entry and its parts are now. */
const currentOf = (name) => `${name}-current.js`;

/** Where parts leave what they are. */
const DEPOSIT = '(globalThis[Symbol.for("qsec2 parts")]??=new Map)';

/** In the entry until all of the build is known. */
const BUILD = '__QSEC2_BUILD__';

const textOf = (file) => readFileSync(new URL(file, import.meta.url), 'utf8');

const LOADER = textOf('part-loader.js').replace('export function', 'function');

const SMALL = { target: 'es2022', minify: true, legalComments: 'none' };

/** What is fetched only where a page replaced built-ins. */
const GENUINE = (() => {
  const { code: source } = transformSync(textOf('genuine.js'), { ...SMALL, format: 'esm' });
  return { source, fileName: `qsec2-genuine-${createHash('sha256').update(source).digest('base64url').slice(0, 8)}.js` };
})();

/** Before anything else runs. Where the file does not arrive, the page's own have to do. */
const BEFORE = `${textOf('replaced.js')}
if (isReplaced()) {
  try {
    await import(new URL("./${GENUINE.fileName}", import.meta.url).href);
  } catch {}
}
`;

/**
 * Browsers that know the hint compile a file whole, on another thread while it loads, rather than each function on the page's
 * thread when it is first called (https://v8.dev/blog/explicit-compile-hints).
 */
const COMPILE_WHOLE = '//# allFunctionsCalledOnLoad\n';
