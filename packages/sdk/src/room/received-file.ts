import { QsecError } from '../errors.ts';
import type { BlobPort } from '../media/blob-port.ts';
import { blobType, cleanFileName, cleanMediaType } from '../media/file-name.ts';
import { chunkCount } from '../media/layout.ts';
import { smallPicture } from '../media/pictures/small.ts';
import { streamOf, valuesOf } from '../media/pipeline.ts';
import { linked } from '../media/signals.ts';
import { part } from '../part.ts';
import type { Attachment } from '../protocol/attachment.ts';
import type { BlobCache } from './blob-cache.ts';
import { checkFetch } from './room-arguments.ts';
import { TransferProgress } from './transfer-progress.ts';
import type { FetchOptions, FileProgress, MessageFile } from './types.ts';

/** Content is handed to the browser in parts of this size while it comes: it may keep them on disk. */
const PART_BYTES = 2 ** 20;

export interface ReceivedFileOptions {
  message: string;
  attachment: Attachment;
  port: BlobPort;
  /** Ends every transfer, with its reason. */
  closed: AbortSignal;
  maxBytes: number;
  /** Content of files up to `keepUpTo` bytes, by message, once it was fetched or sent. */
  cache: BlobCache;
  keepUpTo: number;
  /** The file this side sent, where its content is on the disk. */
  own: Blob | undefined;
  tell(progress: FileProgress): void;
}

/** One fetch that several callers may wait for. */
interface Fetching {
  blob: Promise<Blob>;
  abort: AbortController;
  waiting: number;
}

/** A file of a message, fetched when it is asked for. */
export class ReceivedFile implements MessageFile {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly thumbnail?: Blob;
  readonly #options: ReceivedFileOptions;
  #fetching: Fetching | undefined;

  constructor(options: ReceivedFileOptions) {
    const { name, type, size, thumbnail } = options.attachment;
    this.#options = options;
    this.name = cleanFileName(name);
    this.type = cleanMediaType(type);
    this.size = size;
    // A picture of another kind, or one that would take gigabytes to draw, is none.
    const picture = smallPicture(thumbnail);
    if (picture) this.thumbnail = new Blob([thumbnail], { type: picture.type });
  }

  stream(options: FetchOptions = {}): ReadableStream<Uint8Array> {
    checkFetch(options);
    const { signal } = options;
    const here = this.#here();
    if (here) return here.stream();
    const { attachment, port, closed, maxBytes, message, tell } = this.#options;
    const { name, size } = this;
    return streamOf<Uint8Array>(async function* content(cancelled) {
      if (size > maxBytes) {
        throw new QsecError('FILE_TOO_LARGE', `This file has ${size} bytes; at most ${maxBytes} are fetched.`, {
          details: { size, limit: maxBytes },
        });
      }
      const { download, openFile } = await part(() => import('../media/transfer.ts'));
      const { signal: stop, unlink } = linked(cancelled, closed, signal);
      const progress = new TransferProgress({ direction: 'receive', message, name }, size, tell);
      const chunks = download(port, {
        id: attachment.id,
        count: chunkCount(size),
        onChunk: (count) => progress.chunks(count),
      });
      let state: 'done' | 'failed' | 'cancelled' = 'cancelled';
      try {
        yield* valuesOf(openFile(chunks, attachment), stop);
        state = 'done';
      } catch (error) {
        state = stop.aborted ? 'cancelled' : 'failed';
        if (signal?.aborted) throw new QsecError('ABORTED', 'Fetching a file was cancelled.', { cause: error });
        throw error;
      } finally {
        unlink();
        progress.end(state);
      }
    });
  }

  async blob(options: FetchOptions = {}): Promise<Blob> {
    checkFetch(options);
    const { signal } = options;
    const here = this.#here();
    if (here) return here;
    this.#fetching ??= this.#fetch();
    const fetching: Fetching = this.#fetching;
    fetching.waiting++;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        // Others may wait for the same content.
        if (--fetching.waiting === 0) fetching.abort.abort();
        reject(new QsecError('ABORTED', 'Fetching a file was cancelled.', { cause: signal?.reason }));
      };
      if (signal?.aborted) return giveUp();
      signal?.addEventListener('abort', giveUp, { once: true });
      fetching.blob.then(resolve, reject).finally(() => signal?.removeEventListener('abort', giveUp));
    });
  }

  /** The content, when it needs no fetching. */
  #here(): Blob | undefined {
    const { own, cache, message } = this.#options;
    return own ? new Blob([own], { type: blobType(this.type) }) : cache.get(message);
  }

  #fetch(): Fetching {
    const abort = new AbortController();
    const fetching = { blob: this.#collect(abort.signal), abort, waiting: 0 };
    const done = () => {
      if (this.#fetching === fetching) this.#fetching = undefined;
    };
    // Whoever asked for it learns of a failure from the promise itself.
    fetching.blob.then(done, done);
    abort.signal.addEventListener('abort', done);
    return fetching;
  }

  async #collect(signal: AbortSignal): Promise<Blob> {
    const parts: Blob[] = [];
    let pieces: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    const flush = () => {
      parts.push(new Blob(pieces));
      pieces = [];
      bytes = 0;
    };
    for await (const piece of valuesOf(this.stream({ signal }), new AbortController().signal)) {
      pieces.push(piece as Uint8Array<ArrayBuffer>);
      bytes += piece.length;
      if (bytes >= PART_BYTES) flush();
    }
    flush();
    const blob = new Blob(parts, { type: blobType(this.type) });
    const { cache, keepUpTo, message } = this.#options;
    if (this.size <= keepUpTo) cache.set(message, blob);
    return blob;
  }
}
