import { QsecError } from '../errors.ts';
import { type BlobProgress, toBase64url } from '../wire/index.ts';
import { type BlobPort, isPassing, pause, verdict } from './blob-port.ts';
import type { SealedChunk, Sealing } from './seal.ts';

/** Chunks handed over and not yet acknowledged: a MiB, so that 20 MiB/s go through a connection of 50 ms. */
const WINDOW = 16;
const AFTER_FAILURE_MS = 100;

export interface UploadOptions {
  signal: AbortSignal;
  /** Called with the chunks that the relay has. */
  onChunk?(chunks: number): void;
}

/**
 * Hands a sealed file to a relay while it is being sealed. A connection that drops makes it wait, and go on at the first chunk the
 * relay does not have; only chunks without an acknowledgement are kept. Resolves when the relay has everything.
 *
 * @throws {QsecError} `FILE_TOO_LARGE` when the relay has no space, `FILE_GONE` when it lost what it had, `RELAY_REFUSED`; what the
 *   source fails with; the signal's reason
 */
export async function upload(
  port: BlobPort,
  { id, chunks }: Pick<Sealing, 'id' | 'chunks'>,
  options: UploadOptions,
): Promise<void> {
  const reader = chunks.getReader();
  const run = new Upload(port, toBase64url(id), reader, options);
  const { signal } = options;
  // A source that gives nothing must not keep a cancelled transfer waiting.
  const stop = () => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await run.run();
  } catch (error) {
    // The source may be what failed; then there is nothing to stop.
    await reader.cancel(error).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    reader.releaseLock();
  }
}

class Upload {
  readonly #port: BlobPort;
  readonly #blob: string;
  readonly #reader: ReadableStreamDefaultReader<SealedChunk>;
  readonly #options: UploadOptions;
  /** Not acknowledged, in order. */
  #window: SealedChunk[] = [];
  #ended = false;
  #stored = 0;
  /** Set when what is under way has to be sent again; with how long to wait before. */
  #broken: { waitMs: number } | undefined;
  #failure: { error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(port: BlobPort, blob: string, reader: ReadableStreamDefaultReader<SealedChunk>, options: UploadOptions) {
    this.#port = port;
    this.#blob = blob;
    this.#reader = reader;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      for (let first = true; ; first = false) {
        await this.#port.ready(signal);
        if (first || (await this.#resume())) await this.#send();
        if (this.#ended && this.#window.length === 0) return;
        await pause(this.#broken?.waitMs ?? 0, signal);
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  /** Sends until everything is stored, or the connection breaks. */
  async #send(): Promise<void> {
    this.#broken = undefined;
    const underWay = this.#window.map((chunk) => this.#put(chunk));
    while (!this.#broken && !(this.#ended && this.#window.length === 0)) {
      this.#options.signal.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      if (this.#ended || this.#window.length >= WINDOW) {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
        continue;
      }
      const { done, value } = await this.#reader.read();
      this.#options.signal.throwIfAborted();
      if (done) this.#ended = true;
      else {
        this.#window.push(value);
        underWay.push(this.#put(value));
        if (underWay.length > 4 * WINDOW) underWay.splice(0, 2 * WINDOW);
      }
    }
    // Replies to what was sent on a broken connection must not be taken for replies to what is sent again.
    await Promise.all(underWay);
    if (this.#failure) throw this.#failure.error;
  }

  async #put(chunk: SealedChunk): Promise<void> {
    const { index, last, box } = chunk;
    try {
      const reply = await this.#port.put({ blob: this.#blob, index, last }, box, this.#options.signal);
      if (reply.ok) this.#acknowledged(reply.ok);
      else this.#refused(verdict(reply.error));
      // A chunk behind one that was refused found no place.
      if (reply.ok && this.#window.includes(chunk)) this.#broken ??= { waitMs: AFTER_FAILURE_MS };
    } catch (error) {
      this.#refused(isPassing(error) ? { waitMs: AFTER_FAILURE_MS } : { error });
    }
    this.#wake();
  }

  #refused(verdict: { waitMs: number } | { error: unknown }): void {
    if ('error' in verdict) this.#failure ??= verdict;
    else this.#broken = verdict;
  }

  #acknowledged({ chunks, complete }: BlobProgress): void {
    // A last chunk is done only when the relay knows that it was the last.
    this.#window = this.#window.filter(({ index, last }) => index >= chunks || (last && !complete));
    if (chunks <= this.#stored) return;
    this.#stored = chunks;
    this.#options.onChunk?.(chunks);
  }

  /** Asks how far the relay got. @returns false when that could not be told */
  async #resume(): Promise<boolean> {
    let progress: BlobProgress;
    try {
      const reply = await this.#port.get({ blob: this.#blob });
      if (reply.error && reply.error.code !== 'NO_BLOB') {
        const after = verdict(reply.error);
        if ('error' in after) throw after.error;
        this.#broken = after;
        return false;
      }
      progress = reply.ok ?? { chunks: 0, complete: false };
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#broken = { waitMs: AFTER_FAILURE_MS };
      return false;
    }
    if (progress.chunks < this.#stored) {
      // Chunks that were acknowledged are no longer kept here, and must not be sealed a second time under the same nonces.
      throw new QsecError('FILE_GONE', 'The relay lost the beginning of this file. Send it again.');
    }
    this.#acknowledged(progress);
    return true;
  }
}
