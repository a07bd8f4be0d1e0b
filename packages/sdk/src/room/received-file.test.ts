import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import type { Attachment } from '../protocol/attachment.ts';
import type { RelayError } from '../wire/index.ts';
import { BlobCache } from './blob-cache.ts';
import { ReceivedFile } from './received-file.ts';
import type { FileProgress } from './types.ts';

/** A file of `size` bytes, at most 1000 of which are fetched, from a relay that must not be asked. */
function received(size: number): ReceivedFile {
  const bytes = (length: number) => new Uint8Array(length);
  const attachment: Attachment = {
    id: bytes(16),
    secret: bytes(32),
    commitment: bytes(32),
    digest: bytes(32),
    size,
    name: 'film.mp4',
    type: 'video/mp4',
    thumbnail: bytes(0),
  };
  const unasked = () => Promise.reject(new Error('the relay was asked'));
  return new ReceivedFile({
    message: 'm',
    attachment,
    port: { get: unasked, put: unasked, drop: unasked } as never,
    closed: new AbortController().signal,
    maxBytes: 1000,
    cache: new BlobCache(10_000),
    keepUpTo: 1000,
    own: undefined,
    tell: () => undefined,
  });
}

describe('a file that is larger than what is fetched', () => {
  const refused = {
    code: 'FILE_TOO_LARGE',
    message: 'This file has 1001 bytes; at most 1000 are fetched.',
    details: { size: 1001, limit: 1000 },
  };

  it('is refused before the relay is asked for any of it', async () => {
    await expect(received(1001).blob()).rejects.toMatchObject(refused);
    await expect(received(1001).stream().getReader().read()).rejects.toMatchObject(refused);
  });
});

describe('a fetch', () => {
  it('that is cancelled says so, and one that was cancelled before it began, too', async () => {
    const abort = new AbortController();
    const fetching = received(1000).blob({ signal: abort.signal });
    abort.abort();
    const cancelled = { code: 'ABORTED', message: 'Fetching a file was cancelled.' };
    await expect(fetching).rejects.toMatchObject(cancelled);
    await expect(received(1000).blob({ signal: AbortSignal.abort() })).rejects.toMatchObject(cancelled);
  });
});

/** A file of `size` bytes that is at a relay, and what was told of fetching it. */
async function stored(size: number, { keepUpTo = 1_000_000, own = undefined as Blob | undefined } = {}) {
  const content = Uint8Array.from({ length: size }, (_, i) => (i * 13) & 0xff);
  const { sealFile } = await import('../media/transfer.ts');
  const source = new Blob([content]).stream() as ReadableStream<Uint8Array>;
  const sealing = await sealFile(source, { maxBytes: 10_000_000 });
  const boxes: Uint8Array[] = [];
  for await (const { box } of sealing.chunks) boxes.push(box);
  const sealed = await sealing.sealed;
  const log = { asked: 0, told: [] as FileProgress['state'][] };
  const port = {
    refusal: undefined as RelayError | undefined,
    held: undefined as Promise<void> | undefined,
    ready: async () => undefined,
    get: async ({ index }: { index: number }) => {
      log.asked++;
      await port.held;
      return port.refusal ? { error: port.refusal } : { ok: { data: boxes[index], last: index === boxes.length - 1 } };
    },
  };
  const closed = new AbortController();
  const cache = new BlobCache();
  const file = new ReceivedFile({
    message: 'm',
    attachment: { ...sealed, name: '../film.mp4', type: 'video/mp4', thumbnail: new Uint8Array(3) },
    port: port as never,
    closed: closed.signal,
    maxBytes: 10_000_000,
    cache,
    keepUpTo,
    own,
    tell: ({ state }) => log.told.push(state),
  });
  return { file, content, log, port, closed, cache };
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

describe('a file that is fetched', () => {
  it('is what was sent, of its type, and is kept where it is small', async () => {
    const { file, content, log, cache } = await stored(200_000);
    const blob = await file.blob();
    expect([Buffer.compare(await bytesOf(blob), content), blob.type]).toEqual([0, 'video/mp4']);
    expect([log.told[0], log.told.at(-1), cache.get('m')]).toEqual(['running', 'done', blob]);
    const { asked } = log;
    expect(await file.blob()).toBe(blob);
    expect(log.asked).toBe(asked);
    expect([file.name, file.size, file.thumbnail]).toEqual(['film.mp4', 200_000, undefined]);
  });

  it('is fetched again where it is too large to be kept', async () => {
    const { file, log, cache } = await stored(200_000, { keepUpTo: 199_999 });
    await file.blob();
    const { asked } = log;
    await file.blob();
    expect([log.asked, cache.get('m')]).toEqual([2 * asked, undefined]);
  });

  it('in large parts is put together from all of them', async () => {
    const { file, content } = await stored(2_500_000, { keepUpTo: 0 });
    expect(Buffer.compare(await bytesOf(await file.blob()), content)).toBe(0);
  });

  it('by two is fetched once', async () => {
    const { file, log } = await stored(1_000);
    const [one, other] = await Promise.all([file.blob(), file.blob()]);
    expect([one, log.asked]).toEqual([other, 1]);
  });

  it('goes on for the others where one of them gives up, and ends with the last', async () => {
    const { file, port, log } = await stored(1_000);
    let go: () => void = () => undefined;
    port.held = new Promise((resolve) => {
      go = resolve;
    });
    const stop = new AbortController();
    const [first, second] = [file.blob({ signal: stop.signal }), file.blob()];
    stop.abort();
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' });
    go();
    expect((await second).size).toBe(1_000);
    // A signal that is over by then costs nothing.
    const late = new AbortController();
    await file.blob({ signal: late.signal });
    late.abort();
    expect(log.told).not.toContain('cancelled');
  });

  it('and given up by everybody can be fetched again', async () => {
    const { file, port, log } = await stored(1_000);
    port.held = new Promise(() => undefined);
    const stop = new AbortController();
    const first = file.blob({ signal: stop.signal });
    await expect.poll(() => log.asked).toBe(1);
    stop.abort();
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' });
    port.held = undefined;
    expect((await file.blob()).size).toBe(1_000);
    await expect.poll(() => log.told.includes('cancelled')).toBe(true);
  });

  it('and that the relay has no more is an error with its reason, told of as failed', async () => {
    const { file, port, log } = await stored(1_000);
    port.refusal = { code: 'NO_BLOB', message: 'gone' } as RelayError;
    await expect(file.blob()).rejects.toMatchObject({ code: 'FILE_GONE' });
    expect(log.told.at(-1)).toBe('failed');
    port.refusal = undefined;
    expect((await file.blob()).size).toBe(1_000);
  });

  it('as a stream that is cancelled says so, and one that ends with the room says that', async () => {
    const { file, port, closed, log } = await stored(1_000);
    port.held = new Promise(() => undefined);
    const stop = new AbortController();
    const reading = file.stream({ signal: stop.signal }).getReader().read();
    await expect.poll(() => log.asked).toBe(1);
    stop.abort();
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED', message: 'Fetching a file was cancelled.' });
    const other = file.stream().getReader().read();
    await expect.poll(() => log.asked).toBe(2);
    closed.abort(new QsecError('CLOSED', 'left'));
    await expect(other).rejects.toMatchObject({ code: 'CLOSED' });
    expect(log.told.filter((state) => state === 'cancelled')).toHaveLength(2);
  });
});

describe('a file of our own', () => {
  it('that is on the disk is asked of nobody, and is of the type it was sent as', async () => {
    const { file, log } = await stored(1_000, { own: new Blob(['own']) });
    const blob = await file.blob();
    expect([await blob.text(), blob.type, log.asked]).toEqual(['own', 'video/mp4', 0]);
    expect(await new Response(file.stream() as ReadableStream<Uint8Array<ArrayBuffer>>).text()).toBe('own');
  });
});
