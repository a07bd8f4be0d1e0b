import { describe, expect, it } from 'vitest';
import type { Bytes } from '../wire/index.ts';
import { chunkDigest, FileDigest } from './file-digest.ts';
import { fileKey, sealChunk } from './file-key.ts';
import { CHUNK_BYTES, sealedChunkBytes } from './layout.ts';
import { openFile } from './open.ts';
import { type SealedFile, sealFile } from './seal.ts';
import { openSource } from './source.ts';

/** What each refusal of a file says. Whatever else would refuse it too, this comes first. */

async function seal(bytes: Uint8Array): Promise<{ boxes: Bytes[]; sealed: SealedFile }> {
  const { chunks, sealed } = await sealFile(openSource(bytes).stream);
  const boxes: Bytes[] = [];
  const reader = chunks.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) boxes.push(next.value.box);
  return { boxes, sealed: await sealed };
}

async function refusal(boxes: readonly Uint8Array[], sealed: SealedFile): Promise<unknown> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const box of boxes) controller.enqueue(box);
      controller.close();
    },
  });
  const reader = openFile(stream, sealed).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read());
    return undefined;
  } catch (error) {
    return error;
  }
}

const says = (what: string) => expect.objectContaining({ code: 'FILE_CORRUPT', message: `This file was refused: ${what}.` });

describe('a file is refused', () => {
  it('when there is more of it than was sealed', async () => {
    const { boxes, sealed } = await seal(new Uint8Array(2000));
    expect(await refusal([...boxes, ...boxes], sealed)).toEqual(says('it has more chunks than were sealed'));
  });

  it('when a chunk has another length', async () => {
    const { boxes, sealed } = await seal(new Uint8Array(2 * CHUNK_BYTES));
    expect(await refusal([boxes[0]!.subarray(1), boxes[1]!], sealed)).toEqual(says('a chunk has another length'));
    expect(sealedChunkBytes(sealed.size, 0)).toBe(boxes[0]!.length);
  });

  it('when a chunk was changed', async () => {
    const { boxes, sealed } = await seal(new Uint8Array(2000));
    const changed = boxes[0]!.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    expect(await refusal([changed], sealed)).toEqual(says('a chunk was changed, or stands in the wrong place'));
    expect(await refusal([changed], sealed)).toHaveProperty('cause');
  });

  it('when its end is missing', async () => {
    const { boxes, sealed } = await seal(new Uint8Array(2 * CHUNK_BYTES));
    expect(await refusal(boxes.slice(0, 1), sealed)).toEqual(says('chunks are missing at its end'));
    expect(await refusal([], sealed)).toEqual(says('chunks are missing at its end'));
  });

  it('when its sender signed another one', async () => {
    const { boxes, sealed } = await seal(new Uint8Array(2000));
    const digest = sealed.digest.map((byte) => byte ^ 1) as Bytes;
    expect(await refusal(boxes, { ...sealed, digest })).toEqual(says('it is not the one its sender signed'));
  });

  it('when its size cannot be', async () => {
    const { boxes, sealed } = await seal(new Uint8Array(2000));
    for (const size of [-1, 0.5, Number.NaN, 2 ** 40 + 1, Number.POSITIVE_INFINITY]) {
      expect(await refusal(boxes, { ...sealed, size })).toEqual(says('its size cannot be'));
    }
  });

  it('when its key is another one', async () => {
    const { boxes, sealed } = await seal(new Uint8Array(2000));
    const secret = sealed.secret.map((byte) => byte ^ 1) as Bytes;
    expect(await refusal(boxes, { ...sealed, secret })).toEqual(says('its key is not the one committed to'));
  });

  it('when something stands in the place of its padding', async () => {
    const { sealed } = await seal(new Uint8Array(1000));
    const key = await fileKey(sealed.id, sealed.secret);
    const box = await sealChunk(key, 0, true, new Uint8Array(1024).fill(0).with(1023, 1) as Bytes);
    const digest = new FileDigest(key);
    digest.add(await chunkDigest(box));
    expect(await refusal([box], { ...sealed, digest: digest.finish() })).toEqual(says('its padding is not zero'));
  });
});
