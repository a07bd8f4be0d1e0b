import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@playwright/test';
import { everythingCrosses } from './support/everything-crosses.ts';
import { Site, twoLines } from './support/host-page.ts';
import { installPacked } from './support/installed-packages.ts';

/** What a stranger does first: the packages as npm packs them, in an empty folder, and two lines on a page of their own. */

let folder: string;

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qsec2-packages-'));
  installPacked(['sdk', 'widget', 'relay'], folder);
});

test.afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** `npx qsec2-relay` in the folder. */
async function serve(): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn('npx', ['--no-install', 'qsec2-relay'], {
    cwd: folder,
    // npm hands signals on to a group of its own only from a terminal.
    detached: true,
    env: { PATH: process.env.PATH ?? '', HOME: folder, PORT: '0', RELAY_HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += line;
      const [, found] = /listens on (\S+)/.exec(line) ?? [];
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}: ${output}`)));
  });
  const stop = async () => {
    const ended = once(child, 'exit');
    if (child.pid) process.kill(-child.pid, 'SIGTERM');
    await ended;
  };
  return { url, stop };
}

test('npx qsec2-relay, two lines on another origin: a text, a file and a voice message cross', async ({ browser }) => {
  const relay = await serve();
  const site = await Site.page(twoLines(relay.url));
  try {
    expect(await everythingCrosses(browser, { url: site.url, end: () => site.close() })).toEqual([]);
    const about = await fetch(relay.url, { headers: { accept: 'text/html' } });
    expect(await about.text()).toContain(`${relay.url}/qsec2-chat.js`);
  } finally {
    await site.close();
    await relay.stop();
  }
});
