import { QsecError } from '../errors.ts';
import type { Bytes } from '../wire/index.ts';
import { CHUNK_BYTES, MAX_FILE_BYTES, paddedBytes } from './layout.ts';

/** Content of one chunk before it is sealed. */
export interface Block {
  index: number;
  last: boolean;
  /** A view that holds until the next block is asked for. */
  content: Bytes;
}

/** Told while the content passes. */
export interface BlockOptions {
  /** Most bytes the source may give. */
  maxBytes?: number;
  /** Called with the size of the content when the source ended, before the last block. */
  onEnd(size: number): void;
}

/**
 * Cuts a source whose pieces have any size into blocks of 64 KiB, and pads its total with zeros. Whether a block is the last one
 * is known when the one behind it begins, so one block is always held back.
 *
 * @throws {QsecError} `FILE_TOO_LARGE` when the source gives more than `maxBytes`
 */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  { maxBytes = MAX_FILE_BYTES, onEnd }: BlockOptions,
): AsyncGenerator<Block> {
  let block = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  let index = 0;
  let size = 0;
  for await (const piece of source) {
    if (!(piece instanceof Uint8Array)) throw new QsecError('INVALID_ARGUMENT', 'A file stream has to give Uint8Arrays.');
    size += piece.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    for (let offset = 0; offset < piece.length; ) {
      if (filled === CHUNK_BYTES) {
        yield { index: index++, last: false, content: block };
        block = new Uint8Array(CHUNK_BYTES);
        filled = 0;
      }
      // What is followed by more of the same piece cannot be the last block, and is passed on without being copied.
      if (filled === 0 && piece.length - offset > CHUNK_BYTES) {
        yield { index: index++, last: false, content: piece.subarray(offset, offset + CHUNK_BYTES) as Bytes };
        offset += CHUNK_BYTES;
        continue;
      }
      const part = piece.subarray(offset, offset + CHUNK_BYTES - filled);
      block.set(part, filled);
      filled += part.length;
      offset += part.length;
    }
  }
  onEnd(size);
  const padded = paddedBytes(size);
  // The rest of the last block of content is zero already; blocks of nothing but padding may follow it.
  for (let left = padded - index * CHUNK_BYTES; ; left -= CHUNK_BYTES) {
    if (left <= CHUNK_BYTES) {
      yield { index, last: true, content: block.subarray(0, left) };
      return;
    }
    yield { index: index++, last: false, content: block };
    block = new Uint8Array(CHUNK_BYTES);
  }
}

export const tooLarge = (limit: number, size?: number): QsecError =>
  new QsecError('FILE_TOO_LARGE', `This file is larger than ${limit} bytes.`, {
    details: { limit, ...(size !== undefined && { size }) },
  });
