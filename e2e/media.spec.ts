import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import type * as Sdk from '@qsec2/sdk';
import type * as Voice from '@qsec2/sdk/voice';
import { findSecrets } from '../packages/relay/src/testing/secret-scan.ts';
import { CaptureProxy } from './support/capture-proxy.ts';
import { CuttableProxy } from './support/file-transfer.mjs';
import { RelayProcess } from './support/relay-process.ts';
import { sdkPage } from './support/sdk-page.ts';

/** Files and voice messages between two browsers, over a real relay. */

declare global {
  var qsec2: typeof Sdk;
  var qsec2Voice: typeof Voice;
  var room: Sdk.Room;
  var inbox: Sdk.Message[];
  var recorder: Voice.VoiceRecorder;
  var recording: Voice.Recording;
}

const MIB = 2 ** 20;

let relay: RelayProcess;
let page: Awaited<ReturnType<typeof sdkPage>>;
const contexts: BrowserContext[] = [];

test.beforeAll(async () => {
  page = await sdkPage();
  relay = await RelayProcess.start({ RELAY_RATE_BYTES: '1GiB' });
});

test.afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

test.afterAll(async () => {
  await relay.stop();
  await page.remove();
});

async function person(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ permissions: ['microphone'] });
  contexts.push(context);
  const opened = await context.newPage();
  opened.on('pageerror', (error) => {
    throw error;
  });
  await opened.goto(page.url);
  await opened.waitForFunction(() => globalThis.qsec2Voice !== undefined);
  return opened;
}

/** Two people whose keys are agreed, connected to the relay by way of `url`. */
async function pair(browser: Browser, url: string, files?: Sdk.FileOptions): Promise<[Page, Page]> {
  const ana = await person(browser);
  const bo = await person(browser);
  const enter = async ({ url, invite, files }: { url: string; invite?: string; files?: Sdk.FileOptions | undefined }) => {
    globalThis.inbox = [];
    const options = { relay: url, ...(invite && { invite }), ...(files && { files }) };
    globalThis.room = await qsec2.connect(options);
    room.on('message', (message) => inbox.push(message));
    room.on('state', (state) => state === 'reconnecting' && room.reconnect());
    return room.invite.code;
  };
  const invite = await ana.evaluate(enter, { url, files });
  await bo.evaluate(enter, { url, invite, files });
  for (const side of [ana, bo]) await side.waitForFunction(() => room.state === 'secure');
  return [ana, bo];
}

/** Most memory a page's process had since `reset`, from what Linux tells; undefined elsewhere. */
async function peakMemory(
  browser: Browser,
  of: Page,
): Promise<{ reset(): Promise<number>; peak(): Promise<number> } | undefined> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  // A page burns a little time of its own; its process is the one whose time rises by most.
  const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  const ticks = async (pid: number) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    return stat === undefined ? Number.NaN : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[11]);
  };
  const before = await Promise.all(renderers.map(ticks));
  await of.evaluate(() => {
    for (const end = performance.now() + 300; performance.now() < end; );
  });
  const risen = (await Promise.all(renderers.map(ticks))).map((after, i) => after - (before[i] as number));
  const pid = renderers[risen.indexOf(Math.max(...risen))];
  if (pid === undefined) return undefined;
  const field = async (name: string) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  };
  const { writeFile } = await import('node:fs/promises');
  return {
    async reset() {
      await writeFile(`/proc/${pid}/clear_refs`, '5');
      return field('VmRSS');
    },
    peak: () => field('VmHWM'),
  };
}

/** The SHA-256 of a Blob, hexadecimal. */
const digest = () => {
  Object.assign(globalThis, {
    async digestOf(blob: Blob): Promise<string> {
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
      return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
    },
  });
};
declare function digestOf(blob: Blob): Promise<string>;

test('50 MB arrive byte for byte, though the connections are cut three times each way', async ({ browser }) => {
  test.setTimeout(180_000);
  const proxy = await CuttableProxy.listen(relay.port);
  try {
    const [ana, bo] = await pair(browser, proxy.url);
    await proxyCuts(ana, proxy);
    await proxyCuts(bo, proxy);
    const memory = [await peakMemory(browser, ana), await peakMemory(browser, bo)];
    await ana.evaluate(() => {
      const parts: Blob[] = [];
      for (let i = 0; i < 50; i++) {
        const part = new Uint8Array(1_000_000);
        for (let at = 0; at < part.length; at += 65_536) crypto.getRandomValues(part.subarray(at, at + 65_536));
        parts.push(new Blob([part]));
      }
      Object.assign(globalThis, { file: new File(parts, 'large.bin') });
    });
    const before = await Promise.all(memory.map((of) => of?.reset()));
    const sent = await ana.evaluate(async () => {
      const started = performance.now();
      await room.sendFile((globalThis as unknown as { file: File }).file);
      return performance.now() - started;
    });
    await bo.waitForFunction(() => inbox.length === 1);
    const fetched = await bo.evaluate(async () => {
      const started = performance.now();
      Object.assign(globalThis, { got: await inbox[0]?.file?.blob() });
      return performance.now() - started;
    });
    const peak = await Promise.all(memory.map((of) => of?.peak()));
    expect(proxy.cuts).toBeGreaterThanOrEqual(6);
    for (const side of [ana, bo]) await side.evaluate(digest);
    const hashes = [
      await ana.evaluate(() => digestOf((globalThis as unknown as { file: File }).file)),
      await bo.evaluate(() => digestOf((globalThis as unknown as { got: Blob }).got)),
    ];
    expect(hashes[1]).toBe(hashes[0]);
    const growth = peak.map((bytes, i) => (bytes ?? 0) - (before[i] ?? 0));
    test.info().annotations.push({
      type: 'measured',
      description: `sent in ${Math.round(sent)} ms, fetched in ${Math.round(fetched)} ms; pages grew by ${growth.map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`).join(' and ')}`,
    });
    // Mostly what was not yet collected, which differs from run to run; it is no more for a file of four times the size. Who held the
    // file, its sealed form and its parts at a time would need three times its size.
    for (const bytes of growth) expect(bytes).toBeLessThan(96 * MIB);
  } finally {
    await proxy.close();
  }
});

/** Cuts every connection at a quarter, half and three quarters of each transfer of this page. */
async function proxyCuts(of: Page, proxy: { cut(): void }): Promise<void> {
  await of.exposeFunction('cut', () => proxy.cut());
  await of.evaluate(() => {
    let next = 0.25;
    room.on('progress', ({ done, total, state }) => {
      if (state !== 'running' || done < next * (total ?? 0) || next > 0.75) return;
      next += 0.25;
      (globalThis as unknown as { cut(): void }).cut();
    });
  });
}

test('a voice message is recorded, listened to, sent and played; the relay has nothing of it', async ({ browser }) => {
  const proxy = await CaptureProxy.listen(relay.port);
  try {
    const [ana, bo] = await pair(browser, proxy.url);
    const levels = await ana.evaluate(async () => {
      globalThis.recorder = qsec2Voice.recordVoice();
      const seen: number[] = [];
      await new Promise<void>((resolve) => {
        recorder.on('level', ({ level, durationMs }) => {
          seen.push(level);
          if (durationMs >= 2000) resolve();
        });
      });
      return seen;
    });
    // The fake microphone beeps once a second.
    expect(Math.max(...levels)).toBeGreaterThan(0.01);
    expect(levels.length).toBeGreaterThan(20);

    const preview = await ana.evaluate(async () => {
      const sound = await recorder.preview();
      const decoded = await new AudioContext().decodeAudioData(await (sound as Blob).arrayBuffer());
      return { state: recorder.state, seconds: decoded.duration };
    });
    expect(preview.state).toBe('paused');
    expect(preview.seconds).toBeGreaterThan(1);

    const sent = await ana.evaluate(async () => {
      recorder.resume();
      globalThis.recording = (await recorder.finish()) as Voice.Recording;
      const pressed = performance.now();
      const message = await room.sendVoice(recording);
      const ms = performance.now() - pressed;
      const bytes = Array.from(new Uint8Array(await recording.blob.arrayBuffer()));
      return { ms, bytes, type: recording.type, durationMs: message.voice?.durationMs, peaks: message.voice?.peaks };
    });
    expect(sent.type).toBe('audio/webm;codecs=opus');
    await bo.waitForFunction(() => inbox.length === 1);
    const received = await bo.evaluate(async () => {
      const voice = inbox[0]?.voice as Sdk.VoiceMessage;
      const blob = await voice.blob();
      const bytes = Array.from(new Uint8Array(await blob.arrayBuffer()));
      const audio = new Audio(URL.createObjectURL(blob));
      audio.muted = true;
      await audio.play();
      const decoded = await new AudioContext().decodeAudioData(await blob.arrayBuffer());
      return { bytes, seconds: decoded.duration, durationMs: voice.durationMs, peaks: voice.peaks, kind: inbox[0]?.kind };
    });
    expect(received.kind).toBe('voice');
    expect(received.bytes).toEqual(sent.bytes);
    expect(received).toMatchObject({ durationMs: sent.durationMs, peaks: sent.peaks });
    expect(received.peaks).toHaveLength(64);
    expect(Math.max(...received.peaks)).toBe(1);
    expect(Math.abs(received.seconds - received.durationMs / 1000)).toBeLessThan(0.5);
    test.info().annotations.push({ type: 'measured', description: `sent ${sent.ms.toFixed(0)} ms after the press` });

    // From the middle: the container's head is the same in every recording.
    const middle = Uint8Array.from(sent.bytes).subarray(sent.bytes.length >> 1, (sent.bytes.length >> 1) + 64);
    expect(findSecrets(proxy.received, new Map([['recording', middle]]))).toEqual([]);
    expect(findSecrets([Buffer.from(sent.bytes)], new Map([['recording', middle]]))).not.toEqual([]);
  } finally {
    await proxy.close();
  }
});

test('a recording that is too short, cancelled or without permission is a state', async ({ browser }) => {
  const ana = await person(browser);
  const states = await ana.evaluate(async () => {
    const short = qsec2Voice.recordVoice();
    await short.finish();
    const cancelled = qsec2Voice.recordVoice();
    await new Promise<void>((resolve) => cancelled.on('level', () => resolve()));
    cancelled.cancel();
    return [short.state, cancelled.state, String(await cancelled.finish())];
  });
  expect(states).toEqual(['too-short', 'cancelled', 'undefined']);

  await ana.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  const denied = await ana.evaluate(async () => {
    const recorder = qsec2Voice.recordVoice();
    await recorder.finish();
    return [recorder.state, recorder.error?.code];
  });
  expect(denied).toEqual(['denied', 'MIC_DENIED']);
});
