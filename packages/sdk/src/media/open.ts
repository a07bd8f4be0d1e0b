import { QsecError } from '../errors.ts';
import { type Bytes, equalBytes } from '../wire/index.ts';
import { chunkDigest, FileDigest } from './file-digest.ts';
import { commits, type FileKey, fileKey, openChunk } from './file-key.ts';
import { CHUNK_BYTES, chunkCount, MAX_FILE_BYTES, sealedChunkBytes } from './layout.ts';
import { inOrder, streamOf, valuesOf } from './pipeline.ts';
import type { SealedFile } from './seal.ts';

/**
 * Opens the sealed chunks of a file, in order. The stream gives content as each chunk proves to be the one that was sealed at its
 * place, and ends only after the whole file matched what its sender signed; whoever needs all or nothing waits for the end.
 *
 * @param boxes sealed chunks from 0 on; read ahead by about half a MiB
 * @throws {QsecError} `FILE_CORRUPT` through the stream for anything but the file that was sealed
 */
export function openFile(boxes: ReadableStream<Uint8Array>, sealed: SealedFile): ReadableStream<Bytes> {
  return streamOf((signal) => open(valuesOf(boxes, signal), sealed));
}

async function* open(boxes: AsyncIterable<Uint8Array>, sealed: SealedFile): AsyncGenerator<Bytes> {
  const key = await checkedKey(sealed);
  const count = chunkCount(sealed.size);
  const digest = new FileDigest(key);
  const opened = inOrder(numbered(boxes), async ({ index, box }) => {
    if (index >= count) throw corrupt('it has more chunks than were sealed');
    if (box.length !== sealedChunkBytes(sealed.size, index)) throw corrupt('a chunk has another length');
    const hash = await chunkDigest(box);
    return { index, hash, content: await openOrRefuse(key, index, index === count - 1, box) };
  });
  let next = 0;
  for await (const { index, hash, content } of opened) {
    digest.add(hash);
    next = index + 1;
    // The last chunk counts only together with the digest over all of them.
    if (next === count && !equalBytes(digest.finish(), sealed.digest)) throw corrupt('it is not the one its sender signed');
    const own = withoutPadding(content, sealed.size - index * CHUNK_BYTES);
    if (own.length > 0) yield own;
  }
  if (next < count) throw corrupt('chunks are missing at its end');
}

async function checkedKey({ id, secret, commitment, size }: SealedFile): Promise<FileKey> {
  if (!Number.isInteger(size) || size < 0 || size > MAX_FILE_BYTES) throw corrupt('its size cannot be');
  const key = await fileKey(id, secret);
  if (!commits(key, commitment)) throw corrupt('its key is not the one committed to');
  return key;
}

async function openOrRefuse(key: FileKey, index: number, last: boolean, box: Bytes): Promise<Bytes> {
  try {
    return await openChunk(key, index, last, box);
  } catch (cause) {
    throw corrupt('a chunk was changed, or stands in the wrong place', cause);
  }
}

/** @param left bytes of content from this chunk on */
function withoutPadding(content: Bytes, left: number): Bytes {
  if (left >= content.length) return content;
  const own = content.subarray(0, Math.max(0, left));
  // One form only: bytes behind the content would be a second message that no length tells of.
  if (content.subarray(own.length).some((byte) => byte !== 0)) throw corrupt('its padding is not zero');
  return own;
}

async function* numbered(boxes: AsyncIterable<Uint8Array>): AsyncGenerator<{ index: number; box: Bytes }> {
  let index = 0;
  for await (const box of boxes) yield { index: index++, box: box as Bytes };
}

const corrupt = (what: string, cause?: unknown): QsecError =>
  new QsecError('FILE_CORRUPT', `This file was refused: ${what}.`, { cause });
