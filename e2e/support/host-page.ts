import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Pages of other origins than the relay's, and other places the widget's files may come from. */

/** The widget's files as built, for a script tag. */
export const WIDGET_FILES = fileURLToPath(new URL('../../packages/widget/dist/cdn', import.meta.url));

const TWO_LINES = readFileSync(new URL('../../examples/script-tag/two-lines.html', import.meta.url), 'utf8');
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html' };

/** The README's two lines for this relay. @param files where the widget's files are, if not at the relay */
export const twoLines = (relay: string, files = relay): string =>
  TWO_LINES.replace('http://localhost:5000/qsec2-chat.js', `${files}/qsec2-chat.js`).replaceAll('http://localhost:5000', relay);

export interface Answer {
  status?: number;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

/** A web server of a test. On `localhost`, where the relay is `127.0.0.1`: another site for a browser, too. */
export class Site {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(answer: (path: string, request: IncomingMessage) => Promise<Answer> | Answer): Promise<Site> {
    const server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const { status = 200, headers = {}, body } = await answer(pathname, request);
      response.writeHead(status, headers).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return new Site(server, `http://localhost:${address.port}`);
  }

  /** A page, the same at every path. */
  static page(html: string, headers: OutgoingHttpHeaders = {}): Promise<Site> {
    return Site.start((path) => (path === '/favicon.ico' ? { status: 404 } : page(html, headers)));
  }

  /** The files of a folder, for pages of any origin. */
  static files(folder: string, headers: OutgoingHttpHeaders = {}): Promise<Site> {
    return Site.start((path) => fileOf(folder, path, { 'Access-Control-Allow-Origin': '*', ...headers }));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export const page = (html: string, headers: OutgoingHttpHeaders = {}): Answer => ({
  headers: { 'Content-Type': 'text/html; charset=utf-8', ...headers },
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A page</title><link rel="icon" href="data:,">${html}</html>`,
});

export async function fileOf(folder: string, path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  const file = normalize(join(folder, path));
  if (!file.startsWith(folder)) return { status: 404 };
  const body = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
    throw error;
  });
  const type = `${TYPES[extname(file)] ?? 'application/octet-stream'}; charset=utf-8`;
  return body ? { headers: { 'Content-Type': type, ...headers }, body } : { status: 404 };
}
