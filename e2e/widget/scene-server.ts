import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Site, WIDGET_FILES } from '../support/host-page.ts';

const WIDGET = fileURLToPath(new URL('../../packages/widget', import.meta.url));

/** The policy the widget promises to run under, on a page whose widget comes from elsewhere. */
const strictPolicy = (files: string) =>
  `default-src 'none'; script-src 'self' ${files}; style-src 'self'; img-src 'self' blob:; media-src blob:; worker-src 'self' blob:; connect-src 'self'; require-trusted-types-for 'script'; trusted-types qsec2`;

const pageWith = (files: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Scene</title>
    <link rel="icon" href="/icon.svg">
    <link rel="stylesheet" href="/scene.css">
    <script type="module" src="${files}/qsec2-chat.js"></script>
    <script type="module" src="/scene-page.js"></script>
  </head>
  <body><main><h1>Scene</h1></main></body>
</html>`;

const STYLE = `
  :root { color-scheme: light dark; }
  html, body, main { margin: 0; block-size: 100%; }
  h1 { position: absolute; margin: 20px; font: 600 20px system-ui; }
`;

const ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>';

export interface SceneServer {
  url: string;
  close(): Promise<void>;
}

/** Serves a page that shows the widget in a state of the test's choice, under the strict policy, and the built widget from another origin. */
export async function startSceneServer(): Promise<SceneServer> {
  const bundle = await build({
    entryPoints: [join(WIDGET, 'test/scene-page.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const files = await Site.files(WIDGET_FILES);
  const made: Readonly<Record<string, [type: string, body: string]>> = {
    '/': ['text/html', pageWith(files.url)],
    '/icon.svg': ['image/svg+xml', ICON],
    '/scene.css': ['text/css', STYLE],
    '/scene-page.js': ['text/javascript', bundle.outputFiles[0]?.text ?? ''],
  };
  const site = await Site.start((path) => {
    const [type, body] = made[path] ?? [];
    if (body === undefined) return { status: 404 };
    return { headers: { 'Content-Type': `${type}; charset=utf-8`, 'Content-Security-Policy': strictPolicy(files.url) }, body };
  });
  return {
    url: site.url,
    async close() {
      await site.close();
      await files.close();
    },
  };
}
