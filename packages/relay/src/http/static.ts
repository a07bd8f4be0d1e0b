import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Context, Middleware } from 'koa';

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

/** What a file may lie beside itself as, compressed, the smallest first (RFC 9110 §8.4.1, RFC 7932). */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/** As the widget's build names its files: `qsec2-panel-DAoh0a_s.js`. A hash has capitals or digits, which tells it from a word. */
const CONTENT_HASHED = /\/qsec2-[\w-]*-(?=[\w-]*[A-Z\d])[\w-]{8}(\.\w+)+$/;

interface FoundFile {
  path: string;
  size: number;
  /** Changes with the file. */
  state: string;
}

/**
 * Serves the files of a folder, `index.html` for a folder itself, compressed where a compressed one lies beside (`.br`, `.gz`) and the
 * client takes it. Pages of other origins may load them, so that the widget can be embedded by its URL. Nothing outside the folder is
 * served, whatever the path or a link in it says; nor is a hidden file.
 */
export function serveFolder(folder: string): Middleware {
  const root = realpath(resolve(folder));
  const hashes = new Hashes();
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    const file = await findFile(await root, ctx.path);
    if (!file) return next();
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    // A name with a hash of the content never means anything else: no browser has to ask again. Any other is asked for each time: a
    // page that is loaded again after an update gets the new files.
    ctx.set('Cache-Control', CONTENT_HASHED.test(file.path) ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.type = TYPES[extname(file.path)] ?? 'application/octet-stream';
    const sent = await inEncoding(ctx, file);
    ctx.length = sent.size;
    // Of the content: packages and images give all their files the same date, and names alone make the entry no longer.
    ctx.etag = await hashes.of(sent);
    ctx.status = 200;
    if (ctx.fresh) ctx.status = 304;
    else if (ctx.method === 'GET') ctx.body = createReadStream(sent.path);
  };
}

/** The file, or what lies beside it in an encoding that the client prefers. */
async function inEncoding(ctx: Context, file: FoundFile): Promise<FoundFile> {
  const there = await Promise.all(
    ENCODINGS.map(async ([encoding, suffix]) => ({ encoding, found: await existing(file.path + suffix) })),
  );
  const offered = there.filter(({ found }) => found);
  if (offered.length === 0) return file;
  ctx.vary('Accept-Encoding');
  const taken = ctx.acceptsEncodings(...offered.map(({ encoding }) => encoding), 'identity');
  const choice = offered.find(({ encoding }) => encoding === taken);
  if (!choice?.found) return file;
  ctx.set('Content-Encoding', choice.encoding);
  return choice.found;
}

/** SHA-256 of files, computed again when a file has changed. */
class Hashes {
  readonly #known = new Map<string, { state: string; hash: Promise<string> }>();

  of({ path, state }: FoundFile): Promise<string> {
    const known = this.#known.get(path);
    if (known?.state === state) return known.hash;
    const hash = hashOf(path);
    this.#known.set(path, { state, hash });
    // One that could not be read is read again.
    hash.catch(() => this.#known.delete(path));
    return hash;
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('base64url').slice(0, 22);
}

async function findFile(root: string, path: string): Promise<FoundFile | undefined> {
  const name = decoded(path);
  if (name === undefined || name.includes('\0') || name.split(/[/\\]/).some((part) => part.startsWith('.'))) return undefined;
  const wanted = join(root, name);
  const found = await existing(name.endsWith('/') ? join(wanted, 'index.html') : wanted);
  return found?.path.startsWith(root + sep) ? found : undefined;
}

async function existing(path: string): Promise<FoundFile | undefined> {
  try {
    const real = await realpath(path);
    const stats = await stat(real);
    if (!stats.isFile()) return undefined;
    return { path: real, size: stats.size, state: [stats.size, stats.mtimeMs, stats.ctimeMs, stats.ino].join(' ') };
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
