import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const WIDGET = fileURLToPath(new URL('../../packages/widget', import.meta.url));

/** The policy the widget promises to run under. */
export const STRICT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; worker-src 'self' blob:; connect-src 'self'; require-trusted-types-for 'script'; trusted-types qsec2";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Scene</title>
    <link rel="icon" href="/icon.svg">
    <link rel="stylesheet" href="/scene.css">
    <script type="module" src="/qsec2-chat.js"></script>
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

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

export interface SceneServer {
  url: string;
  close(): Promise<void>;
}

/** Serves the built widget and a page that shows it in a state of the test's choice, under the strict policy. */
export async function startSceneServer(): Promise<SceneServer> {
  const bundle = await build({
    entryPoints: [join(WIDGET, 'test/scene-page.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const made: Readonly<Record<string, string>> = {
    '/': PAGE,
    '/icon.svg': ICON,
    '/scene.css': STYLE,
    '/scene-page.js': bundle.outputFiles[0]?.text ?? '',
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const body = made[pathname] ?? (await fileIn(join(WIDGET, 'dist/cdn'), pathname));
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(pathname)] ?? 'text/html';
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Content-Security-Policy': STRICT_POLICY });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function fileIn(folder: string, pathname: string): Promise<Buffer | undefined> {
  const path = normalize(join(folder, pathname));
  if (!path.startsWith(folder)) return undefined;
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
    throw error;
  });
}
