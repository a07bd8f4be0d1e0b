import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../packages/widget/dist', import.meta.url));

/** How a page gets the widget. */
export const WAYS = {
  'the file for a script tag': '/cdn/qsec2-chat.js',
  'the lazy loader': '/qsec2-chat/qsec2-chat.esm.js',
} as const;

export interface HostServer {
  url: string;
  /** Shows `body` at an address of its own, and gives that address. `script` runs before anything else. */
  page(body: string, options?: { script?: string; widget?: string | undefined }): string;
  close(): Promise<void>;
}

/** A site that embeds the widget: on another origin than the relay, with whatever else its pages do. */
export async function startHostServer(): Promise<HostServer> {
  const pages = new Map<string, string>();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const body = pages.get(pathname) ?? (await fileAt(pathname));
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = extname(pathname) === '.js' ? 'text/javascript' : 'text/html';
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Access-Control-Allow-Origin': '*' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    page: (body, { script = '', widget = WAYS['the file for a script tag'] } = {}) => {
      const path = `/page-${pages.size}`;
      pages.set(
        path,
        `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title><link rel="icon" href="data:,">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <script>${script}</script><script type="module" src="${url}${widget}"></script></head><body>${body}</body></html>`,
      );
      return url + path;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function fileAt(pathname: string): Promise<Buffer | undefined> {
  const path = normalize(join(DIST, pathname));
  if (!path.startsWith(DIST)) return undefined;
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
    throw error;
  });
}
