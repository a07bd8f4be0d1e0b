import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import type { Middleware } from 'koa';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
};

/** As the widget's build names its parts: `qsec2-panel-DAoh0a_s.js`. A hash has capitals or digits, which tells it from a word. */
const CONTENT_HASHED = /\/qsec2-[\w-]*-(?=[\w-]*[A-Z\d])[\w-]{8}\.(js|css)$/;

/**
 * Serves the files of a folder, `index.html` for a folder itself. Pages of other origins may load them, so that the widget can
 * be embedded by its URL. Nothing outside the folder is served, whatever the path or a link in it says; nor is a hidden file.
 */
export function serveFolder(folder: string): Middleware {
  const root = realpath(resolve(folder));
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    const file = await findFile(await root, ctx.path);
    if (!file) return next();
    const { path, size, modified } = file;
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    // A name with a hash of the content never means anything else: no browser has to ask again.
    ctx.set('Cache-Control', CONTENT_HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.type = TYPES[extname(path)] ?? 'application/octet-stream';
    ctx.length = size;
    ctx.lastModified = new Date(modified);
    ctx.etag = `${size.toString(36)}-${Math.floor(modified).toString(36)}`;
    ctx.status = 200;
    if (ctx.fresh) ctx.status = 304;
    else if (ctx.method === 'GET') ctx.body = createReadStream(path);
  };
}

async function findFile(root: string, path: string): Promise<{ path: string; size: number; modified: number } | undefined> {
  const name = decoded(path);
  if (name === undefined || name.includes('\0') || name.split(/[/\\]/).some((part) => part.startsWith('.'))) return undefined;
  const found = await existing(join(root, name));
  if (found?.stats.isDirectory()) return name.endsWith('/') ? findFile(root, `${path}index.html`) : undefined;
  if (!found?.stats.isFile() || !found.path.startsWith(root + sep)) return undefined;
  return { path: found.path, size: found.stats.size, modified: found.stats.mtimeMs };
}

async function existing(path: string) {
  try {
    const real = await realpath(path);
    return { path: real, stats: await stat(real) };
  } catch {
    // Not there, or not readable: for the client the same thing.
    return undefined;
  }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
