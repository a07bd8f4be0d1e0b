import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/**
 * Builds of the SDK that exist in tests alone: its own sources, with single modules wrapped, so that a test can see what the SDK
 * never shows (keys, bases) or switch one defence off.
 */

const SOURCES = fileURLToPath(new URL('../../packages/sdk/src', import.meta.url));

/** From a module's path under packages/sdk/src to the source of a module that stands in for it; it may import `original`. */
export type Replacements = Readonly<Record<string, string>>;

/** Changes the text of a module on its way into a build. Throws when it does not find what it is to change. */
export type Patch = (source: string, path: string) => string;

function replace(replacements: Replacements, patch: Patch | undefined): Plugin {
  return {
    name: 'replace-modules',
    setup(setup) {
      if (patch) {
        setup.onLoad({ filter: /\.ts$/, namespace: 'file' }, async ({ path }) => {
          const file = relative(SOURCES, path).replaceAll('\\', '/');
          if (file.startsWith('..')) return undefined;
          return { contents: patch(await readFile(path, 'utf8'), file), loader: 'ts' };
        });
      }
      setup.onResolve({ filter: /\.ts$/ }, ({ path, importer, resolveDir }) => {
        const file = relative(SOURCES, resolve(resolveDir, path)).replaceAll('\\', '/');
        if (!(file in replacements) || importer.startsWith('replaced:')) return undefined;
        return { path: file, namespace: 'replaced' };
      });
      setup.onResolve({ filter: /^original$/, namespace: 'replaced' }, ({ importer }) => ({ path: join(SOURCES, importer) }));
      setup.onLoad({ filter: /.*/, namespace: 'replaced' }, ({ path }) => ({
        contents: replacements[path] ?? '',
        loader: 'ts',
        resolveDir: dirname(join(SOURCES, path)),
      }));
    },
  };
}

export type Sdk = typeof import('@qsec2/sdk');

/** Bundles the SDK with `replacements` and loads it. */
export const buildSdk = (replacements: Replacements): Promise<Sdk> =>
  buildModule<Sdk>("export * from './index.ts';", replacements);

/** Bundles a module whose imports are relative to packages/sdk/src, and loads it. */
export async function buildModule<T>(contents: string, replacements: Replacements = {}, patch?: Patch): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'qsec2-test-build-'));
  try {
    const outfile = join(folder, 'sdk.mjs');
    await build({
      stdin: { contents, resolveDir: SOURCES, loader: 'ts' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      outfile,
      plugins: [replace(replacements, patch)],
      // socket.io-client's dependencies are CommonJS and ask for Node's modules.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    return (await import(pathToFileURL(outfile).href)) as T;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Wraps the engine so that every key, basis and bit that passes through it is put into `globalThis.__qsec2Secrets`. */
export const OBSERVED: Replacements = {
  'bb84/privacy-amplification.ts': `
    import { toeplitz as original } from 'original';
    export * from 'original';
    export function toeplitz(key, seed, outputBits) {
      const final = original(key, seed, outputBits);
      globalThis.__qsec2Secrets.push(['sifted and corrected key', key.slice()], ['final key', final.slice()]);
      return final;
    }`,
  'bb84/channel/measurement.ts': `
    import * as original from 'original';
    export * from 'original';
    export function simulatedReceiver(options) {
      const receiver = original.simulatedReceiver(options);
      return {
        ...receiver,
        detect(transmission, bases) {
          const detections = receiver.detect(transmission, bases);
          globalThis.__qsec2Secrets.push(["Bob's bases", bases.slice()], ["Bob's bits", detections.bits.slice()]);
          return detections;
        },
      };
    }`,
};

/** Turns encryption off: what is sealed travels as it is. The rest of the protocol does not notice. */
export const PLAIN: Replacements = {
  'protocol/aead.ts': `
    export * from 'original';
    const TAG_BYTES = 16;
    export const seal = async (key, nonce, plaintext) => {
      const box = new Uint8Array(plaintext.length + TAG_BYTES);
      box.set(plaintext);
      return box;
    };
    export const open = async (key, nonce, box) => box.slice(0, box.length - TAG_BYTES);`,
};
