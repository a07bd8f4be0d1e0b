import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { joinedRoom, startRelay, temporaryFolder } from '../testing/relay-fixture.ts';

/** Sends the path as it is; `fetch` would tidy it up first. */
function get(url: string, path: string, headers = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
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

describe('the folder at /', () => {
  async function serve() {
    const outside = temporaryFolder();
    const dir = join(outside, 'demo');
    mkdirSync(join(dir, 'build'), { recursive: true });
    writeFileSync(join(dir, 'index.html'), '<!doctype html>');
    writeFileSync(join(dir, 'build', 'widget.js'), 'export {}');
    for (const name of ['qsec2-panel-DAoh0a_s.js', 'qsec2-security.js']) writeFileSync(join(dir, name), 'export {}');
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
    expect(await caching('/qsec2-panel-DAoh0a_s.js')).toBe('public, max-age=31536000, immutable');
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
