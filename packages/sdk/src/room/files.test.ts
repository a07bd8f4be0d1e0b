import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { connect } from './connect.ts';
import { ReceivedFile } from './received-file.ts';
import type { FileProgress, Message, Room, RoomState } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function reach(room: Room, state: RoomState): Promise<void> {
  while (room.state !== state) await room.once('state');
}

async function pair(relay: MemoryRelay, options: Partial<ConnectOptions> = {}) {
  const ana = await connect({ relay: 'http://relay.test', transport: relay.transport, name: 'Ana', ...options });
  open.push(ana);
  const bo = await connect({
    relay: 'http://relay.test',
    transport: relay.transport,
    name: 'Bo',
    invite: ana.invite,
    ...options,
  });
  open.push(bo);
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  return { ana, bo };
}

const content = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 13 + (i >> 7)) & 0xff);
const bytesOf = async (blob: Blob | undefined) => new Uint8Array(await (blob as Blob).arrayBuffer());
/** The head of a PNG of one colour. */
const png = (side: number) =>
  new Uint8Array(
    Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'),
      ...[side, side].map((n) => Buffer.from([n >> 24, n >> 16, n >> 8, n])),
      Buffer.from([8, 2, 0, 0, 0]),
    ]),
  );
const PNG = png(320);

/** Blobs the relay was handed and asked to delete. */
const stored = (relay: MemoryRelay) => relay.seen.filter((entry) => (entry as { event: string }).event === 'blob:put').length;

describe('a file', () => {
  it('arrives as it was sent, with its name, type, size and picture, and is confirmed like a text', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const arrived = bo.once('message');
    const bytes = content(300_000);
    const file = new File([bytes], 'holiday.jpg', { type: 'image/jpeg' });
    const sent = await ana.sendFile(file, { thumbnail: PNG, replyTo: (await ana.send('look')).id });
    const { kind, file: received, from, replyTo } = await skipText(bo, arrived);
    expect({ kind, from: from === 'me' ? from : from.name }).toEqual({ kind: 'file', from: 'Ana' });
    expect(replyTo).toBe(sent.replyTo);
    expect(received).toMatchObject({ name: 'holiday.jpg', type: 'image/jpeg', size: 300_000 });
    expect(await bytesOf(received?.thumbnail)).toEqual(PNG);
    expect(received?.thumbnail?.type).toBe('image/png');
    const blob = await received?.blob();
    expect(blob?.type).toBe('image/jpeg');
    expect(Buffer.compare(await bytesOf(blob), bytes)).toBe(0);
    expect(await sent.delivered).toMatchObject({ pending: [], expired: false });
    // The sender sees the same, without asking the relay.
    expect(Buffer.compare(await bytesOf(await sent.file?.blob()), bytes)).toBe(0);
  });

  it('may come from a stream of unknown length, and be read as one', async () => {
    const { ana, bo } = await pair(new MemoryRelay(), { files: { fetchUpTo: 0 } });
    const arrived = bo.once('message');
    const bytes = content(200_000);
    const sent = await ana.sendFile(new Blob([bytes]).stream(), { name: '../../x.bin' });
    const { file } = await arrived;
    expect(file).toMatchObject({ name: 'x.bin', type: 'application/octet-stream', size: 200_000 });
    expect(Buffer.compare(Buffer.from(await new Response(file?.stream()).arrayBuffer()), bytes)).toBe(0);
    expect(Buffer.compare(await bytesOf(await sent.file?.blob()), bytes)).toBe(0);
  });

  it('is told of step by step, on both sides', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const [told, seen]: [FileProgress[], FileProgress[]] = [[], []];
    ana.on('progress', (progress) => told.push(progress));
    bo.on('progress', (progress) => seen.push(progress));
    const mine: FileProgress[] = [];
    const sent = await ana.sendFile(content(1_000_000), { name: 'data', onProgress: (progress) => mine.push(progress) });
    await expect.poll(() => seen.at(-1)?.state).toBe('done');
    expect(mine).toEqual(told);
    for (const [events, direction] of [
      [told, 'send'],
      [seen, 'receive'],
    ] as const) {
      expect(new Set(events.map(({ transfer }) => transfer)).size).toBe(1);
      expect(events[0]).toMatchObject({ direction, name: 'data', done: 0, total: 1_000_000, state: 'running' });
      expect(events.at(-1)).toMatchObject({ done: 1_000_000, state: 'done' });
      expect(events.map(({ done }) => done)).toEqual(events.map(({ done }) => done).sort((a, b) => a - b));
      expect(events.length).toBeGreaterThan(5);
    }
    expect(seen[0]?.message).toBe(sent.id);
  });

  it('is fetched ahead when it is small, and only when it is asked for otherwise', async () => {
    const relay = new MemoryRelay();
    const { ana, bo } = await pair(relay, { files: { fetchUpTo: 100_000 } });
    const fetched: string[] = [];
    bo.on('progress', ({ name, state }) => state === 'done' && fetched.push(name));
    await ana.sendFile(content(200_000), { name: 'large' });
    await ana.sendFile(content(100_000), { name: 'small' });
    await expect.poll(() => fetched).toEqual(['small']);
    await bo.history()[0]?.file?.blob();
    expect(fetched).toEqual(['small', 'large']);
  });

  it('is told to the others only when all of it is stored, and waits for a connection that dropped', async () => {
    const relay = new MemoryRelay();
    const { ana, bo } = await pair(relay);
    const bytes = content(2_000_000);
    const arrived = bo.once('message');
    let cuts = 0;
    const sending = ana.sendFile(bytes, {
      onProgress({ done }) {
        if (done < (cuts + 1) * 500_000 || cuts === 3) return;
        cuts++;
        relay.cut();
        queueMicrotask(() => relay.restore());
      },
    });
    await sending;
    expect(cuts).toBe(3);
    const { file } = await arrived;
    expect(Buffer.compare(await bytesOf(await file?.blob()), bytes)).toBe(0);
  });
});

describe('a file that is cancelled', () => {
  it('on the way leaves nothing at the relay and no message', async () => {
    const relay = new MemoryRelay();
    const { ana, bo } = await pair(relay);
    const stop = new AbortController();
    const told: FileProgress[] = [];
    const sending = ana.sendFile(content(3_000_000), {
      signal: stop.signal,
      onProgress(progress) {
        told.push(progress);
        if (progress.done > 1_000_000) stop.abort();
      },
    });
    await expect(sending).rejects.toMatchObject({ code: 'ABORTED' });
    expect(told.at(-1)?.state).toBe('cancelled');
    expect(stored(relay)).toBeGreaterThan(5);
    await expect.poll(() => relay.keptBlobs).toBe(0);
    expect([ana.history(), bo.history()]).toEqual([[], []]);
  });

  it('while there is no connection is deleted when there is one again', async () => {
    const relay = new MemoryRelay();
    const { ana } = await pair(relay);
    const stop = new AbortController();
    const sending = ana.sendFile(content(3_000_000), {
      signal: stop.signal,
      onProgress: ({ done }) => done > 1_000_000 && relay.cut(),
    });
    await reach(ana, 'reconnecting');
    stop.abort();
    await expect(sending).rejects.toMatchObject({ code: 'ABORTED' });
    expect(relay.keptBlobs).toBe(1);
    relay.restore();
    await expect.poll(() => relay.keptBlobs).toBe(0);
  });

  it('while it is fetched can be fetched again; whoever else waits for it gets it', async () => {
    const { ana, bo } = await pair(new MemoryRelay(), { files: { fetchUpTo: 0 } });
    const arrived = bo.once('message');
    await ana.sendFile(content(1_000_000));
    const { file } = await arrived;
    const stop = new AbortController();
    const [cancelled, other] = [file?.blob({ signal: stop.signal }), file?.blob()];
    stop.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await other)?.size).toBe(1_000_000);
    const alone = new AbortController();
    const again = file?.blob({ signal: alone.signal });
    alone.abort();
    await expect(again).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await file?.blob())?.size).toBe(1_000_000);
  });

  it('by leaving the room ends with it', async () => {
    const { ana } = await pair(new MemoryRelay());
    const never = new ReadableStream<Uint8Array>();
    const sending = ana.sendFile(never);
    await ana.once('progress');
    await ana.leave();
    await expect(sending).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('what cannot be sent', () => {
  it.each<[string, () => unknown, object, string]>([
    ['an empty file', () => new Blob([]), {}, 'INVALID_ARGUMENT'],
    ['an empty stream', () => new Blob([]).stream(), {}, 'INVALID_ARGUMENT'],
    ['text', () => 'text', {}, 'INVALID_ARGUMENT'],
    ['a file above the limit', () => content(2001), {}, 'FILE_TOO_LARGE'],
    ['a stream above the limit', () => new Blob([content(2001)]).stream(), {}, 'FILE_TOO_LARGE'],
    ['a picture that is none', () => content(10), { thumbnail: content(10) }, 'INVALID_ARGUMENT'],
    ['a picture of gigabytes', () => content(10), { thumbnail: png(16_000) }, 'INVALID_ARGUMENT'],
    ['something unreadable', unreadable, {}, 'FILE_UNREADABLE'],
  ])('such as %s is an error with a code, leaves nothing, and says nothing', async (_, file, options, code) => {
    const relay = new MemoryRelay();
    const { ana } = await pair(relay, { files: { maxBytes: 2000 } });
    await expect(ana.sendFile(file() as Blob, options)).rejects.toMatchObject({ code });
    await expect.poll(() => relay.keptBlobs).toBe(0);
    expect(ana.history()).toEqual([]);
  });

  it('such as a voice message without duration or peaks is refused', async () => {
    const { ana } = await pair(new MemoryRelay());
    const peaks = [0.5];
    await expect(ana.sendVoice(content(10), { durationMs: 0, peaks })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(ana.sendVoice(content(10), { durationMs: 1000, peaks: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(ana.sendVoice(new Blob([]), { durationMs: 1000, peaks })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('what arrives', () => {
  it('above the limit of who receives it is told of, and not fetched', async () => {
    const relay = new MemoryRelay();
    const ana = await connect({ relay: 'http://relay.test', transport: relay.transport });
    open.push(ana);
    const files = { maxBytes: 1000 };
    const bo = await connect({ relay: 'http://relay.test', transport: relay.transport, invite: ana.invite, files });
    open.push(bo);
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
    const arrived = bo.once('message');
    await ana.sendFile(content(1001));
    await expect((await arrived).file?.blob()).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });

  it('changed, or not at all, is an error with a code and no content', async () => {
    const relay = new MemoryRelay();
    const { ana, bo } = await pair(relay, { files: { fetchUpTo: 0 } });
    const arrived = bo.once('message');
    await ana.sendFile(content(200_000));
    const { file } = await arrived;
    relay.tamperWithBlobs((chunk) => chunk.map((byte, i) => (i === 77 ? byte ^ 4 : byte)));
    await expect(file?.blob()).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    relay.tamperWithBlobs(() => undefined);
    await expect(file?.blob()).rejects.toMatchObject({ code: 'FILE_GONE' });
  });

  it('is not given to the browser as something that could act as the page', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const arrived = bo.once('message');
    await ana.sendFile(new File(['<script>alert(1)</script>'], '<b>.html', { type: 'text/html' }));
    const { file } = await arrived;
    expect(file).toMatchObject({ name: '_b_.html', type: 'text/html' });
    expect((await file?.blob())?.type).toBe('application/octet-stream');
  });

  it('shows the relay neither name, type, size nor content', async () => {
    const relay = new MemoryRelay();
    const { ana, bo } = await pair(relay);
    const arrived = bo.once('message');
    const text = 'the harvest is on the ninth, behind the mill';
    await ana.sendFile(new File([text], 'secret-plan.txt', { type: 'text/x-plan' }));
    await (await arrived).file?.blob();
    const seen = JSON.stringify(relay.seen, (_, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    for (const secret of [text, 'secret-plan', 'text/x-plan']) expect(seen).not.toContain(secret);
  });
});

describe('a voice message', () => {
  it('arrives with its duration and peaks', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const arrived = bo.once('message');
    const peaks = Array.from({ length: 64 }, (_, i) => i / 63);
    await ana.sendVoice(new Blob([content(40_000)], { type: 'audio/webm;codecs=opus' }), { durationMs: 10_250.4, peaks });
    const { kind, voice, file } = await arrived;
    expect([kind, file]).toEqual(['voice', undefined]);
    expect(voice).toMatchObject({ durationMs: 10_250, size: 40_000, type: 'audio/webm;codecs=opus' });
    expect(voice?.peaks).toHaveLength(64);
    voice?.peaks.forEach((peak, i) => {
      expect(peak).toBeCloseTo(peaks[i] as number, 2);
    });
    expect((await voice?.blob())?.type).toBe('audio/webm;codecs=opus');
  });
});

function unreadable(): Blob {
  const blob = new Blob(['content']);
  blob.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) }) as Blob;
  return blob;
}

/** The first message that is not a text. */
async function skipText(room: Room, first: Promise<Message>): Promise<Message> {
  let message = await first;
  while (message.kind === 'text') message = await room.once('message');
  return message;
}

describe('a member who announces files without end', () => {
  it('has a few of them fetched at a time, and those that it announces faster only when they are asked for', async () => {
    const relay = new MemoryRelay();
    const { ana, bo } = await pair(relay);
    const running = new Set<string>();
    let most = 0;
    const done: string[] = [];
    bo.on('progress', ({ name, state }) => {
      if (state === 'running') running.add(name);
      else running.delete(name);
      if (state === 'done') done.push(name);
      most = Math.max(most, running.size);
    });
    for (let i = 0; i < 24; i++) await ana.sendFile(content(70_000), { name: `${i}` });
    await expect.poll(() => done.length).toBe(24);
    expect(most).toBeLessThanOrEqual(8);
  });
});

it('a small picture that would take gigabytes to draw is not handed on, whoever made it', () => {
  const attachment = { id: PNG, secret: PNG, commitment: PNG, digest: PNG, size: 1, name: 'a', type: 'image/png' };
  const options = {
    message: 'x',
    port: undefined,
    closed: undefined,
    maxBytes: 1,
    cache: undefined,
    keepUpTo: 1,
    own: undefined,
  };
  const shown = (thumbnail: Uint8Array) =>
    new ReceivedFile({ ...options, attachment: { ...attachment, thumbnail }, tell: () => undefined } as never).thumbnail;
  expect(shown(png(320))?.type).toBe('image/png');
  expect(shown(png(16_000))).toBeUndefined();
  expect(shown(png(320).subarray(0, 20))).toBeUndefined();
});
