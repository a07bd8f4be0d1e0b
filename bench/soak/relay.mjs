import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** The long version of the relay's tests: `npm run soak -- relay`. Its parts are the ones of the tests, compiled from their sources. */
export async function run() {
  const relay = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'packages', 'relay');
  // Two folders below the package, like the sources it is made of, so that both what it imports and what it compiles are found.
  const outdir = join(relay, 'node_modules', '.soak');
  mkdirSync(outdir, { recursive: true });
  const outfile = join(outdir, 'soak.mjs');
  try {
    await build({
      entryPoints: [join(relay, 'src/testing/history/soak.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      alias: { '@qsec2/sdk/wire': join(relay, '../sdk/src/wire/index.ts') },
    });
    const { soak } = await import(pathToFileURL(outfile).href);
    await soak();
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
