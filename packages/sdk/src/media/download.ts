import { QsecError } from '../errors.ts';
import { toBase64url } from '../wire/index.ts';
import { type BlobPort, isPassing, pause, verdict } from './blob-port.ts';
import { inOrder, streamOf } from './pipeline.ts';

/** Chunks asked for before the first of them came: a MiB. */
const AHEAD = 16;

export interface DownloadOptions {
  id: Uint8Array;
  /** Chunks the file has. */
  count: number;
  /** Called with the chunks that have come so far. */
  onChunk?(chunks: number): void;
}

/**
 * The sealed chunks of a file from a relay, in order, fetched as they are read. A connection that drops makes it wait, and go on at
 * the first missing chunk.
 *
 * @throws {QsecError} through the stream: `FILE_GONE`, `CLOSED`, `RELAY_REFUSED`
 */
export function download(port: BlobPort, { id, count, onChunk }: DownloadOptions): ReadableStream<Uint8Array> {
  const blob = toBase64url(id);

  async function* indices(): AsyncGenerator<number> {
    for (let index = 0; index < count; index++) yield index;
  }

  return streamOf(async function* chunks(signal) {
    let got = 0;
    let turn: Promise<void> | undefined;
    // Requests that failed together wait together.
    const ready = (waitMs: number) => {
      turn ??= (waitMs > 0 ? pause(waitMs, signal) : Promise.resolve())
        .then(() => port.ready(signal))
        .finally(() => {
          turn = undefined;
        });
      return turn;
    };
    for await (const chunk of inOrder(indices(), (index) => fetchChunk(port, { blob, index, ready, signal }), AHEAD)) {
      onChunk?.(++got);
      yield chunk;
    }
  });
}

interface ChunkRequest {
  blob: string;
  index: number;
  /** Resolves when requests can be made, at the earliest after so many milliseconds. */
  ready(waitMs: number): Promise<void>;
  signal: AbortSignal;
}

async function fetchChunk(port: BlobPort, { blob, index, ready, signal }: ChunkRequest): Promise<Uint8Array> {
  for (let waitMs = 0; ; ) {
    await ready(waitMs);
    try {
      const reply = await port.get({ blob, index });
      signal.throwIfAborted();
      if (reply.error) {
        const after = verdict(reply.error);
        if ('error' in after) throw after.error;
        waitMs = after.waitMs;
      } else if (reply.ok.data) return bytesOf(reply.ok.data);
      else throw new QsecError('FILE_GONE', 'The relay has a part of this file only.', { details: { chunks: reply.ok.chunks } });
    } catch (error) {
      if (!isPassing(error)) throw error;
      waitMs = AFTER_FAILURE_MS;
    }
  }
}

/** A connection that broke is not always known to be broken yet. */
const AFTER_FAILURE_MS = 100;

/** What a relay says is a chunk may be anything; what it holds is checked when it is opened. */
function bytesOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new QsecError('FILE_CORRUPT', 'The relay sent something else than a chunk of a file.');
}
