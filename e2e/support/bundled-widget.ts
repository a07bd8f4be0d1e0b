import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A page's own script with the widget in it, by a bundler. @returns the folder of `main.js` and its chunks */
export async function bundledWidget(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'qsec2-bundled-'));
  await build({
    stdin: { contents: "import '@qsec2/widget/define';", resolveDir: HERE },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    entryNames: 'main',
    outdir: folder,
    logLevel: 'error',
  });
  return folder;
}
