import { describe, expect, it } from 'vitest';
import type { Attachment } from '../protocol/attachment.ts';
import { BlobCache } from './blob-cache.ts';
import { ReceivedFile } from './received-file.ts';

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
