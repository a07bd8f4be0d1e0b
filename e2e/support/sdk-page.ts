import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { fileOf, Site } from './host-page.ts';

/** A page of an origin of its own with nothing but the SDK on it, as `qsec2` and `qsec2Voice`. */

const SOURCES = fileURLToPath(new URL('../../packages/sdk/src', import.meta.url));

export async function sdkPage(): Promise<{ url: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'qsec2-sdk-page-'));
  await build({
    stdin: {
      contents: `
        import * as qsec2 from './index.ts';
        import * as qsec2Voice from './media/voice.ts';
        Object.assign(globalThis, { qsec2, qsec2Voice });`,
      resolveDir: SOURCES,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    outfile: join(dir, 'sdk.js'),
  });
  await writeFile(
    join(dir, 'index.html'),
    '<!doctype html><title>SDK</title><link rel="icon" href="data:,"><script type="module" src="sdk.js"></script>',
  );
  const site = await Site.start((path) => fileOf(dir, path === '/' ? '/index.html' : path));
  const remove = async () => {
    await site.close();
    await rm(dir, { recursive: true, force: true });
  };
  return { url: site.url, remove };
}
