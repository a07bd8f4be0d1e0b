import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/**
 * The long version of the relay's tests: `npm run soak -- relay`. Its parts are the ones of the tests, compiled from their sources;
 * some of them alone with `QSEC2_SOAK_PARTS=fuzz,cycles`.
 */
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
    await soak(process.env.QSEC2_SOAK_PARTS);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
