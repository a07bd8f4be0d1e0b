import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { joinedRoom, startRelay, temporaryFolder } from '../testing/relay-fixture.ts';

/** Sends the path as it is; `fetch` would tidy it up first. */
async function get(url: string, path: string, headers = {}): Promise<{ status: number; body: string }> {
  const { status, body } = await ask(url, path, { headers });
  return { status, body: body.toString() };
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** As it came over the wire. */
  body: Buffer;
}

function ask(url: string, path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { path, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    })
      .once('error', reject)
      .end();
  });
}

describe('health', () => {
  it('says that the process is alive and that it can store', async () => {
    const { url } = await startRelay();
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', failed: [] });
  });
});

describe('every answer', () => {
  const policy = async (url: string, path: string) => (await ask(url, path)).headers['content-security-policy'];

  it('may be shown in no page of another origin, those for operators in none at all', async () => {
    const { url } = await startRelay();
    expect(await policy(url, '/healthz')).toBe("frame-ancestors 'self'");
    expect(await policy(url, '/not/there')).toBe("frame-ancestors 'self'");
    expect(await policy(url, '/status')).toContain("frame-ancestors 'none'");
  });

  it('holds browsers to TLS where they came over it, as a proxy says that is trusted', async () => {
    const asked = async (url: string) =>
      (await ask(url, '/', { headers: { 'X-Forwarded-Proto': 'https' } })).headers['strict-transport-security'];
    expect(await asked((await startRelay({ trustedProxies: ['127.0.0.1'] })).url)).toBe('max-age=15768000');
    expect(await asked((await startRelay()).url)).toBeUndefined();
  });
});

describe('operations', () => {
  it('are metrics and a page, with numbers and nothing about rooms, members or addresses', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    ana!.push({ text: 'x' });
    await bo!.until(() => bo!.cursor === 1);
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toContain('qsec2_relay_frames_placed_total 1\n');
    expect(metrics).toContain('qsec2_relay_connections 2\n');
    expect(metrics).toContain('qsec2_relay_commit_seconds_count 1\n');
    const page = await (await fetch(`${running.url}/status`)).text();
    expect(page).toContain('<td>serving</td>');
    for (const secret of [room.room, ana!.seat, '127.0.0.1']) expect(metrics + page).not.toContain(secret);
  });

  it('have a port of their own when one is set', async () => {
    const { url, relay } = await startRelay({ opsPort: 0 });
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${relay.opsUrl}/metrics`)).status).toBe(200);
  });
});

/** Names with a hash of the content. */
const HASHED = [
  'qsec2-panel-DAoh0a_s.js',
  'qsec2-sdk-ulUo0YAd.script.js',
  'qsec2-style-LBXF7M2T.css',
  'qsec2-p-pCcAoWwb-HR_ohWVb.js',
];

describe('the folder at /', () => {
  async function serve() {
    const outside = temporaryFolder();
    const dir = join(outside, 'demo');
    mkdirSync(join(dir, 'build'), { recursive: true });
    writeFileSync(join(dir, 'index.html'), '<!doctype html>');
    writeFileSync(join(dir, 'build', 'widget.js'), 'export {}');
    for (const name of [...HASHED, 'qsec2-security.js']) writeFileSync(join(dir, name), 'export {}');
    writeFileSync(join(dir, '.env'), 'hidden');
    writeFileSync(join(outside, 'secret.txt'), 'secret');
    symlinkSync(join(outside, 'secret.txt'), join(dir, 'link.txt'));
    return startRelay({ demo: { dir } });
  }

  it('is served with the right types, to pages of any origin', async () => {
    const { url } = await serve();
    const page = await fetch(`${url}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const script = await fetch(`${url}/build/widget.js`, { headers: { origin: 'https://elsewhere.example' } });
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(script.headers.get('access-control-allow-origin')).toBe('*');
    expect(script.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await script.text()).toBe('export {}');
    const etag = script.headers.get('etag') ?? '';
    expect(await get(url, '/build/widget.js', { 'if-none-match': etag })).toEqual({ status: 304, body: '' });
  });

  it('is asked again for every file but those named after their content', async () => {
    const { url } = await serve();
    const caching = async (path: string) => (await fetch(url + path)).headers.get('cache-control');
    for (const name of HASHED) expect(await caching(`/${name}`), name).toBe('public, max-age=31536000, immutable');
    for (const path of ['/', '/qsec2-security.js', '/build/widget.js']) expect(await caching(path)).toBe('no-cache');
  });

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/build/..%2f..%2fsecret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/.env',
    '/%00',
    '/%zz',
    '/build',
    '//etc/passwd',
  ])('gives nothing else away: %s', async (path) => {
    const { url } = await serve();
    const { status, body } = await get(url, path);
    expect(status).toBe(404);
    expect(body).not.toMatch(/secret|hidden/);
  });
});

describe('the widget of the relay', () => {
  const SCRIPT = `console.log(${JSON.stringify('a part of the widget '.repeat(50))})`;

  async function serve() {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'qsec2-chat.js'), SCRIPT);
    writeFileSync(join(dir, 'qsec2-chat.js.br'), brotliCompressSync(SCRIPT));
    writeFileSync(join(dir, 'qsec2-chat.js.gz'), gzipSync(SCRIPT));
    writeFileSync(join(dir, 'qsec2-panel-DAoh0a_s.js'), SCRIPT);
    return { dir, ...(await startRelay({ widgetFiles: dir })) };
  }

  it.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate', 'gzip', gunzipSync],
    ['br;q=0.2, gzip;q=0.9', 'gzip', gunzipSync],
  ])('is sent compressed to a client that takes it: %s', async (accepted, encoding, decoded) => {
    const { url } = await serve();
    const { status, headers, body } = await ask(url, '/qsec2-chat.js', { headers: { 'accept-encoding': accepted } });
    expect(status).toBe(200);
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers.vary).toMatch(/accept-encoding/i);
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(Number(headers['content-length'])).toBe(body.length);
    expect(body.length).toBeLessThan(SCRIPT.length / 4);
    expect(decoded(body).toString()).toBe(SCRIPT);
  });

  it.each([{}, { 'accept-encoding': 'identity' }, { 'accept-encoding': 'br;q=0, gzip;q=0' }])(
    'is sent as it is to any other client: %o',
    async (wanted) => {
      const { url } = await serve();
      const { headers, body } = await ask(url, '/qsec2-chat.js', { headers: wanted as Record<string, string> });
      expect([headers['content-encoding'], body.toString()]).toEqual([undefined, SCRIPT]);
      expect(headers.vary).toMatch(/accept-encoding/i);
    },
  );

  it('may be loaded by pages of any origin, isolated ones too', async () => {
    const { url } = await serve();
    for (const path of ['/qsec2-chat.js', '/qsec2-panel-DAoh0a_s.js']) {
      const { headers } = await ask(url, path, { method: 'HEAD', headers: { origin: 'https://elsewhere.example' } });
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers['cross-origin-resource-policy']).toBe('cross-origin');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('is asked for again under its own name, and its parts never', async () => {
    const { url } = await serve();
    const { headers } = await ask(url, '/qsec2-chat.js', { headers: { 'accept-encoding': 'br' } });
    expect(headers['cache-control']).toBe('no-cache');
    const again = { 'accept-encoding': 'br', 'if-none-match': headers.etag! };
    expect((await ask(url, '/qsec2-chat.js', { headers: again })).status).toBe(304);
    const plain = await ask(url, '/qsec2-chat.js');
    expect(plain.headers.etag).not.toBe(headers.etag);
    const part = await ask(url, '/qsec2-panel-DAoh0a_s.js');
    expect(part.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it('is a new one after an update, also where the new file has the length and the date of the old one', async () => {
    const { url, dir } = await serve();
    const file = join(dir, 'qsec2-chat.js');
    const packed = new Date('1985-10-26T08:15:00Z');
    utimesSync(file, packed, packed);
    const before = await ask(url, '/qsec2-chat.js');
    const updated = SCRIPT.replace('a part', 'A part');
    writeFileSync(file, updated);
    utimesSync(file, packed, packed);
    const headers = { 'if-none-match': before.headers.etag!, 'if-modified-since': packed.toUTCString() };
    const after = await ask(url, '/qsec2-chat.js', { headers });
    expect([after.status, after.body.toString()]).toEqual([200, updated]);
  });

  it('gives way to the folder of the operator', async () => {
    const { dir } = await serve();
    const own = temporaryFolder();
    writeFileSync(join(own, 'index.html'), 'of the operator');
    const { url } = await startRelay({ widgetFiles: dir, demo: { dir: own } });
    expect(await get(url, '/', { accept: 'text/html' })).toEqual({ status: 200, body: 'of the operator' });
    expect((await get(url, '/qsec2-chat.js')).body).toBe(SCRIPT);
  });

  it('is not on the port of the operations', async () => {
    const { relay } = await startRelay({ opsPort: 0, widgetFiles: temporaryFolder() });
    for (const path of ['/', '/qsec2-chat.js']) expect((await get(relay.opsUrl!, path)).status).toBe(404);
  });
});

describe('what the relay says of itself', () => {
  const version: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
  const serve = async () => (await startRelay({ widgetFiles: temporaryFolder() })).url;

  it('is a page for a browser, with the two lines for its own address, its version and a policy', async () => {
    const url = await serve();
    const { status, headers, body } = await ask(url, '/', { headers: { accept: BROWSER } });
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(body.toString()).toContain(`&lt;script type="module" src="${url}/qsec2-chat.js"&gt;&lt;/script&gt;`);
    expect(body.toString()).toContain(`&lt;qsec2-chat relay="${url}"&gt;&lt;/qsec2-chat&gt;`);
    expect(body.toString()).toContain(`Version ${version}`);
  });

  it('is JSON where that is asked for, and text for anyone else', async () => {
    const url = await serve();
    expect(JSON.parse((await get(url, '/', { accept: 'application/json' })).body)).toEqual({
      name: 'QSEC2 relay',
      version,
      relay: url,
      widget: `${url}/qsec2-chat.js`,
    });
    for (const accept of ['*/*', 'text/plain', 'image/png']) {
      const { headers, body } = await ask(url, '/', { headers: { accept } });
      expect(headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(body.toString()).toContain(`<qsec2-chat relay="${url}"></qsec2-chat>`);
    }
  });

  it('names the address it was reached by, behind a proxy too', async () => {
    const url = await serve();
    const told = async (headers: Record<string, string>) =>
      JSON.parse((await get(url, '/', { accept: 'application/json', ...headers })).body).relay;
    expect(await told({ host: 'chat.example:8443' })).toBe('http://chat.example:8443');
    expect(await told({ host: 'chat.example', 'x-forwarded-proto': 'https' })).toBe('https://chat.example');
    expect(await told({ host: 'inner:5000', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'chat.example, inner' })).toBe(
      'https://chat.example',
    );
  });

  it.each([
    'x"><script>alert(1)</script>',
    'a b',
    '',
    'user:pass@chat.example',
    "chat.example/'",
    '999.1.1.1',
    'chat.example:99999',
    '[::zz]',
  ])('repeats nothing of an address that is none: %s', async (host) => {
    const url = await serve();
    const { headers, body } = await ask(url, '/', { headers: { accept: BROWSER, 'x-forwarded-host': host } });
    expect(headers['cache-control']).toBe('no-store');
    expect(body.toString()).not.toMatch(/<script|user|'"/);
    expect(body.toString()).toMatch(/src="https?:\/\/[\w.:]+\/qsec2-chat.js"/);
  });
});
