import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { platformCrypto } from '../platform/crypto.ts';
import { type Bytes, concat, padme } from '../wire/index.ts';
import { fileKey, openChunk, sealChunk } from './file-key.ts';
import { CHUNK_BYTES, chunkCount, MIN_PADDED_BYTES, paddedBytes, sealedBytes, TAG_BYTES } from './layout.ts';
import { openFile } from './open.ts';
import { type SealedChunk, type SealedFile, sealFile } from './seal.ts';

/** A stream of these pieces, one at a time. */
function streamOfPieces<T>(pieces: Iterable<T>): ReadableStream<T> {
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream<T>(
    {
      pull(controller) {
        const { done, value } = iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const values: T[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) values.push(next.value);
  return values;
}

function content(size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + 1) & 0xff;
  return bytes;
}

async function seal(...pieces: Uint8Array[]): Promise<{ chunks: SealedChunk[]; boxes: Bytes[]; sealed: SealedFile }> {
  const sealing = await sealFile(streamOfPieces(pieces));
  const chunks = await all(sealing.chunks);
  return { chunks, boxes: chunks.map(({ box }) => box), sealed: await sealing.sealed };
}

/** What a reader got before the stream ended or failed, and how it failed. */
async function open(boxes: Uint8Array[], sealed: SealedFile): Promise<{ got: Bytes; error: unknown }> {
  const got: Bytes[] = [];
  const reader = openFile(streamOfPieces(boxes), sealed).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) got.push(next.value);
    return { got: concat(...got), error: undefined };
  } catch (error) {
    return { got: concat(...got), error };
  }
}

/** Sizes around every edge of the layout, and some in between. */
const SIZES = [0, 1, 1023, 1024, 1025, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 5 * CHUNK_BYTES + 17];

describe('a sealed file', () => {
  it.each(SIZES)('of %i bytes opens to what was sealed', async (size) => {
    const bytes = content(size);
    const { boxes, sealed } = await seal(bytes);
    expect(sealed.size).toBe(size);
    const { got, error } = await open(boxes, sealed);
    expect(error).toBeUndefined();
    expect(Buffer.compare(got, bytes)).toBe(0);
  });

  it('does not depend on the pieces its source gives', async () => {
    const pieces = fc.array(fc.nat(3 * CHUNK_BYTES), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(pieces, async (sizes) => {
        const bytes = content(sizes.reduce((sum, size) => sum + size, 0));
        let offset = 0;
        const parts = sizes.map((size) => {
          offset += size;
          return bytes.subarray(offset - size, offset);
        });
        const { boxes, sealed } = await seal(...parts);
        const { got, error } = await open(boxes, sealed);
        expect([error, sealed.size, Buffer.compare(got, bytes)]).toEqual([undefined, bytes.length, 0]);
      }),
      { numRuns: 25 },
    );
  });

  it('shows its padded size only: whole chunks, and a last one', async () => {
    for (const size of SIZES) {
      const { chunks } = await seal(content(size));
      expect(chunks.map(({ index, last }) => [index, last])).toEqual(
        Array.from({ length: chunkCount(size) }, (_, i) => [i, i === chunkCount(size) - 1]),
      );
      for (const { box, last } of chunks) if (!last) expect(box.length).toBe(CHUNK_BYTES + TAG_BYTES);
      expect(chunks.reduce((sum, { box }) => sum + box.length, 0)).toBe(sealedBytes(size));
    }
    expect(sealedBytes(0)).toBe(sealedBytes(MIN_PADDED_BYTES));
    // With its tag a chunk is what a relay takes at most.
    expect([CHUNK_BYTES, CHUNK_BYTES + TAG_BYTES]).toEqual([65_536, 65_552]);
  });

  it('is never longer than its content by more than 12 % and the tags, and sizes fall into few classes', () => {
    fc.assert(
      fc.property(fc.integer({ min: MIN_PADDED_BYTES, max: 2 ** 40 }), (size) => {
        const padded = paddedBytes(size);
        expect(padded).toBeGreaterThanOrEqual(size);
        expect(padded).toBeLessThanOrEqual(size * 1.12);
        expect(padme(padded)).toBe(padded);
      }),
    );
    const classes = new Set(Array.from({ length: 100_000 }, (_, i) => paddedBytes(i)));
    expect(classes.size).toBeLessThan(120);
  });

  it('shares neither key, id nor ciphertext with another sealing of the same content', async () => {
    const [one, two] = [await seal(content(5000)), await seal(content(5000))];
    for (const field of ['id', 'secret', 'commitment', 'digest'] as const) {
      expect(one.sealed[field]).not.toEqual(two.sealed[field]);
    }
    expect(one.boxes).not.toEqual(two.boxes);
  });

  it('uses no nonce twice', async () => {
    const used = new Set<string>();
    const { cipher } = platformCrypto;
    const spy = vi.spyOn(platformCrypto, 'cipher').mockImplementation(async (key) => {
      const real = await cipher(key);
      return {
        ...real,
        seal(nonce, aad, content) {
          used.add(Buffer.from(nonce).toString('hex'));
          return real.seal(nonce, aad, content);
        },
      };
    });
    try {
      const { chunks } = await seal(content(20 * CHUNK_BYTES));
      expect(used.size).toBe(chunks.length);
    } finally {
      spy.mockRestore();
    }
  });

  it('is sealed and opened a bounded number of chunks ahead of its reader', async () => {
    let made = 0;
    function* endless() {
      for (;;) {
        made++;
        yield content(CHUNK_BYTES);
      }
    }
    const { chunks } = await sealFile(streamOfPieces(endless()));
    const reader = chunks.getReader();
    for (let read = 1; read <= 50; read++) {
      await reader.read();
      expect(made - read).toBeLessThanOrEqual(12);
    }
    await reader.cancel();
  });
});

describe('what is not the file that was sealed', () => {
  const SIZE = 3 * CHUNK_BYTES + 500;
  const refused = async (boxes: Uint8Array[], sealed: SealedFile, original: Bytes) => {
    const { got, error } = await open(boxes, sealed);
    expect(QsecError.is(error, 'FILE_CORRUPT')).toBe(true);
    // What came before the fault is the start of the real content, and nothing else.
    expect(Buffer.compare(got, original.subarray(0, got.length))).toBe(0);
  };

  it('is refused when any byte of it was changed', async () => {
    const original = content(2000);
    const { boxes, sealed } = await seal(original);
    const box = boxes[0] as Bytes;
    await fc.assert(
      fc.asyncProperty(fc.nat(box.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = box.slice();
        changed[at] = (changed[at] as number) ^ change;
        await refused([changed], sealed, original);
      }),
    );
  });

  it('is refused when chunks are missing, repeated, swapped, cut, added or of another file', async () => {
    const original = content(SIZE);
    const { boxes, sealed } = await seal(original);
    const other = await seal(original);
    const [a, b, c, d] = boxes as [Bytes, Bytes, Bytes, Bytes];
    const variants: Record<string, Uint8Array[]> = {
      nothing: [],
      'the last missing': [a, b, c],
      'the first missing': [b, c, d],
      'one missing': [a, c, d],
      'two swapped': [b, a, c, d],
      repeated: [a, a, b, c, d],
      'one more': [a, b, c, d, d],
      'an empty one more': [a, b, c, d, new Uint8Array(0)],
      'the last cut': [a, b, c, d.subarray(0, d.length - 1)],
      'one cut': [a.subarray(0, 100), b, c, d],
      'one of another file': [a, other.boxes[1] as Bytes, c, d],
      'another file': other.boxes,
    };
    for (const [name, variant] of Object.entries(variants)) {
      const { got, error } = await open(variant, sealed);
      expect([name, QsecError.is(error, 'FILE_CORRUPT')]).toEqual([name, true]);
      expect(Buffer.compare(got, original.subarray(0, got.length))).toBe(0);
    }
  });

  it('is refused when what the message says of it is not so', async () => {
    const original = content(SIZE);
    const { boxes, sealed } = await seal(original);
    const flip = (bytes: Bytes) => bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) as Bytes;
    for (const field of ['id', 'secret', 'commitment', 'digest'] as const) {
      await refused(boxes, { ...sealed, [field]: flip(sealed[field]) }, original);
    }
    // A size of the same padded class shows only by bytes that ought to be padding.
    for (const size of [SIZE - 1, 0, 2 ** 41, -1, 0.5, Number.NaN]) await refused(boxes, { ...sealed, size }, original);
  });

  it('is refused when it ends with a second content in the place of padding', async () => {
    const hidden = concat(content(1000), Uint8Array.of(1));
    const { boxes, sealed } = await seal(hidden);
    await refused(boxes, { ...sealed, size: 1000 }, hidden);
  });
});

describe('each defence', () => {
  it('of place: the same box opens at its own place and at no other', async () => {
    const key = await fileKey(new Uint8Array(16), content(32));
    const box = await sealChunk(key, 7, false, content(100));
    expect([...(await openChunk(key, 7, false, box))]).toEqual([...content(100)]);
    await expect(openChunk(key, 8, false, box)).rejects.toThrow();
    await expect(openChunk(key, 7, true, box)).rejects.toThrow();
    const elsewhere = await fileKey(new Uint8Array(16).fill(1), content(32));
    await expect(openChunk(elsewhere, 7, false, box)).rejects.toThrow();
  });

  it('of the signed digest: a member who has the key can replace a chunk, and only the digest tells', async () => {
    const { boxes, sealed } = await seal(content(2000));
    const forged = await sealChunk(
      await fileKey(sealed.id, sealed.secret),
      0,
      true,
      new Uint8Array(boxes[0]!.length - TAG_BYTES),
    );
    expect(QsecError.is((await open([forged], sealed)).error, 'FILE_CORRUPT')).toBe(true);
    // The control: a message that vouches for the forgery's digest would have had it accepted.
    const { FileDigest, chunkDigest } = await import('./file-digest.ts');
    const digest = new FileDigest(sealed);
    digest.add(await chunkDigest(forged));
    expect((await open([forged], { ...sealed, digest: digest.finish() })).error).toBeUndefined();
  });

  it('of the commitment: another key is refused before anything is fetched', async () => {
    const { sealed } = await seal(content(10));
    let fetched = 0;
    const boxes = new ReadableStream<Uint8Array>({ pull: () => void fetched++ }, { highWaterMark: 0 });
    await expect(
      openFile(boxes, { ...sealed, secret: content(32) })
        .getReader()
        .read(),
    ).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
    });
    expect(fetched).toBe(0);
  });
});

describe('a source', () => {
  it('that fails ends both the stream and the promise with its error', async () => {
    const failure = new Error('the disk is gone');
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(content(10));
        controller.error(failure);
      },
    });
    const { chunks, sealed } = await sealFile(source);
    await expect(all(chunks)).rejects.toBe(failure);
    await expect(sealed).rejects.toBe(failure);
  });

  it('that gives more than allowed is refused', async () => {
    const { chunks } = await sealFile(streamOfPieces([content(600), content(600)]), { maxBytes: 1000 });
    await expect(all(chunks)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE', details: { limit: 1000 } });
  });

  it('that gives anything but bytes is refused', async () => {
    const { chunks } = await sealFile(streamOfPieces(['text'] as unknown as Uint8Array[]));
    await expect(all(chunks)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('Uint8Array') });
  });

  it('is cancelled with the sealing, even while it makes the sealing wait', async () => {
    const cancelled: unknown[] = [];
    const waiting = new ReadableStream<Uint8Array>({ cancel: (reason) => void cancelled.push(reason) }, { highWaterMark: 0 });
    const { chunks, sealed } = await sealFile(waiting);
    const reader = chunks.getReader();
    const read = reader.read();
    await reader.cancel('enough');
    expect(await read).toMatchObject({ done: true });
    expect(cancelled).toEqual(['enough']);
    await expect(sealed).rejects.toBe('enough');
  });

  it('that is cancelled in its middle leaves nobody waiting for it', async () => {
    const { chunks, sealed } = await sealFile(streamOfPieces([content(3 * CHUNK_BYTES), content(CHUNK_BYTES)]));
    const reader = chunks.getReader();
    await reader.read();
    await reader.cancel('enough');
    await expect(sealed).rejects.toMatchObject({ name: 'AbortError' });
  });
});
