import type { Bytes } from '../wire/index.ts';
import { blocksOf } from './blocks.ts';
import { chunkDigest, FileDigest } from './file-digest.ts';
import { newFileKey, sealChunk } from './file-key.ts';
import { inOrder, streamOf, valuesOf } from './pipeline.ts';

/** Everything that is needed to fetch, open and check a sealed file. Travels inside the encryption of a message. */
export interface SealedFile {
  /** Names the file at the relay, 16 bytes. */
  readonly id: Bytes;
  /** 32 bytes, for this file alone. */
  readonly secret: Bytes;
  /** Commitment to the key, 32 bytes. */
  readonly commitment: Bytes;
  /** {@link FileDigest} of the sealed chunks, 32 bytes. */
  readonly digest: Bytes;
  /** Bytes of content, without padding. */
  readonly size: number;
}

export interface SealedChunk {
  index: number;
  last: boolean;
  /** Ciphertext and tag. */
  box: Bytes;
}

export interface Sealing {
  readonly id: Bytes;
  /** Sealed chunks in order, made as they are read; about a MiB is in memory at a time. */
  readonly chunks: ReadableStream<SealedChunk>;
  /** Resolves when the last chunk was read; rejects as the stream does, and when it is cancelled. */
  readonly sealed: Promise<SealedFile>;
}

/**
 * Seals a file under a fresh key.
 *
 * @param maxBytes most bytes `source` may give
 * @throws {QsecError} through `chunks` and `sealed`: `FILE_TOO_LARGE`, or what `source` fails with
 */
export async function sealFile(source: ReadableStream<Uint8Array>, { maxBytes }: { maxBytes?: number } = {}): Promise<Sealing> {
  const key = await newFileKey();
  const digest = new FileDigest(key);
  const { promise, resolve, reject } = deferred<SealedFile>();
  let size = 0;

  async function* seal(signal: AbortSignal): AsyncGenerator<SealedChunk> {
    const onEnd = (total: number) => {
      size = total;
    };
    const blocks = blocksOf(valuesOf(source, signal), { ...(maxBytes !== undefined && { maxBytes }), onEnd });
    const boxes = inOrder(blocks, async ({ index, last, content }) => {
      const box = await sealChunk(key, index, last, content);
      return { index, last, box, hash: await chunkDigest(box) };
    });
    let complete = false;
    try {
      for await (const { hash, ...chunk } of boxes) {
        digest.add(hash);
        complete = chunk.last;
        if (complete) resolve({ id: key.id, secret: key.secret, commitment: key.commitment, digest: digest.finish(), size });
        yield chunk;
      }
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      if (!complete) reject(new DOMException('The sealing was cancelled.', 'AbortError'));
    }
  }

  return { id: key.id, chunks: streamOf(seal), sealed: promise };
}

/** A promise and its ends. Whoever does not wait for it is not told of a failure. */
function deferred<T>(): { promise: Promise<T>; resolve(value: T): void; reject(reason: unknown): void } {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
