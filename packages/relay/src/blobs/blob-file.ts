import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BLOB_CHUNK_BYTES, type BlobProgress } from '@qsec2/sdk/wire';
import { type BlobHeader, decodeHeader, encodeHeader, HEADER_BYTES } from './blob-header.ts';

/** Chunks written together at most: about a MiB. */
const MAX_BATCH = 16;

interface Waiting {
  chunk: Buffer;
  last: boolean;
  stored(): void;
  failed(error: unknown): void;
}

/** Where a blob's file is while it grows, and once it is complete. */
export interface BlobPaths {
  part: string;
  whole: string;
}

/**
 * One blob as a file: a header and its chunks one behind the other. A chunk is at the place its index says, so that neither a
 * crash in the middle of a write nor a repetition leaves anything to repair.
 */
export class BlobFile {
  readonly owner: string;
  readonly created: number;
  readonly #paths: BlobPaths;
  readonly #fsync: boolean;
  #handle: Promise<FileHandle> | undefined;
  #chunks = 0;
  #bytes = 0;
  #complete = false;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** Reads and writes that are using the handle. */
  #users = 0;
  #idle: (() => void) | undefined;
  #deleted = false;

  constructor(paths: BlobPaths, { owner, created }: BlobHeader, fsync: boolean) {
    this.#paths = paths;
    this.owner = owner;
    this.created = created;
    this.#fsync = fsync;
  }

  /** Makes the file. */
  static async create(paths: BlobPaths, header: BlobHeader, fsync: boolean): Promise<BlobFile> {
    const handle = await open(paths.part, 'wx+', 0o600);
    await handle.write(encodeHeader(header), 0, HEADER_BYTES, 0);
    const file = new BlobFile(paths, header, fsync);
    file.#handle = Promise.resolve(handle);
    return file;
  }

  /** Recognises a file of an earlier process, or of another relay on the same folder. Undefined when there is none, or a broken one. */
  static async load(paths: BlobPaths, fsync: boolean): Promise<BlobFile | undefined> {
    for (const [path, complete] of [
      [paths.whole, true],
      [paths.part, false],
    ] as const) {
      const handle = await openIfThere(path, complete ? 'r' : 'r+');
      if (!handle) continue;
      const { buffer } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
      const header = decodeHeader(buffer);
      if (!header) {
        await handle.close();
        continue;
      }
      const file = new BlobFile(paths, header, fsync);
      file.#handle = Promise.resolve(handle);
      file.#complete = complete;
      file.#measure((await handle.stat()).size);
      return file;
    }
    return undefined;
  }

  get progress(): BlobProgress {
    return { chunks: this.#chunks, complete: this.#complete };
  }

  /** Bytes of the chunks that are stored. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Nothing is using the file at this moment, so that its handle can be closed. */
  get unused(): boolean {
    return this.#users === 0 && this.#handle !== undefined;
  }

  /** Whether a put at `index` would add a chunk. */
  wants(index: number): boolean {
    return !this.#deleted && !this.#complete && index === this.#chunks + this.#queue.length && !this.#queue.at(-1)?.last;
  }

  /** Stores the chunk at the first missing place, with others that came in the meantime. */
  append(chunk: Buffer, last: boolean): Promise<void> {
    const done = new Promise<void>((stored, failed) => this.#queue.push({ chunk, last, stored, failed }));
    this.#writing ??= this.#drain();
    return done;
  }

  /** The last chunk was stored without the relay knowing that it was the last: it stopped in between. */
  async finish(index: number): Promise<void> {
    await this.settled();
    if (!this.#complete && !this.#deleted && index === this.#chunks - 1) await this.#use((handle) => this.#finish(handle));
  }

  /** What was handed over so far is stored, or failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** @returns undefined when the chunk is not there */
  read(index: number): Promise<Buffer | undefined> {
    if (index >= this.#chunks) return Promise.resolve(undefined);
    return this.#use(async (handle) => {
      const start = index * BLOB_CHUNK_BYTES;
      const length = Math.min(BLOB_CHUNK_BYTES, this.#bytes - start);
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, HEADER_BYTES + start);
      if (bytesRead !== length) throw new Error('a file of chunks is shorter than it was');
      return buffer;
    });
  }

  /** Looks at the file again: another relay on the same folder may have added to it. */
  async refresh(): Promise<void> {
    if (this.#complete || this.#writing || this.#deleted) return;
    const now = await BlobFile.load(this.#paths, this.#fsync);
    if (!now) return;
    await now.closeHandle();
    if (this.#writing || now.#chunks < this.#chunks) return;
    this.#chunks = now.#chunks;
    this.#bytes = now.#bytes;
    this.#complete = now.#complete;
  }

  async closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await (await handle)?.close();
  }

  /** Waits until nobody uses the file, and deletes it. */
  async delete(): Promise<void> {
    this.#deleted = true;
    if (this.#users > 0) await new Promise<void>((idle) => (this.#idle = idle));
    await this.closeHandle();
    await rm(this.#paths.part, { force: true });
    await rm(this.#paths.whole, { force: true });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, MAX_BATCH);
      try {
        await this.#use((handle) => this.#write(handle, batch));
        this.#queue.splice(0, batch.length);
        for (const { stored } of batch) stored();
      } catch (error) {
        // What is behind a chunk that was not stored has no place any more: its sender starts again from the first missing one.
        for (const { failed } of this.#queue.splice(0)) failed(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(handle: FileHandle, batch: readonly Waiting[]): Promise<void> {
    const chunks = batch.map(({ chunk }) => chunk);
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const { bytesWritten } = await handle.writev(chunks, HEADER_BYTES + this.#chunks * BLOB_CHUNK_BYTES);
    if (bytesWritten !== length) throw new Error('a chunk was not written whole');
    // Writing to a file that somebody deleted goes on without an error.
    if ((await handle.stat()).nlink === 0)
      throw Object.assign(new Error('the file was deleted by someone else'), { code: 'ENOENT' });
    if (this.#fsync) await handle.datasync();
    this.#chunks += chunks.length;
    this.#bytes += length;
    if (batch.at(-1)?.last) await this.#finish(handle);
  }

  async #finish(handle: FileHandle): Promise<void> {
    // Beyond the last chunk there may be the rest of one that was cut off by a crash.
    await handle.truncate(HEADER_BYTES + this.#bytes);
    await rename(this.#paths.part, this.#paths.whole);
    if (this.#fsync) await syncFolder(dirname(this.#paths.whole));
    this.#complete = true;
  }

  async #use<T>(work: (handle: FileHandle) => Promise<T>): Promise<T> {
    if (this.#deleted) throw new Error('the file was deleted');
    this.#users++;
    try {
      return await work(await this.#opened());
    } finally {
      this.#users--;
      if (this.#users === 0) this.#idle?.();
    }
  }

  async #opened(): Promise<FileHandle> {
    const { part, whole } = this.#paths;
    const opening = this.#handle ?? (this.#complete ? open(whole, 'r') : open(part, 'r+'));
    this.#handle = opening;
    try {
      return await opening;
    } catch (error) {
      if (this.#handle === opening) this.#handle = undefined;
      throw error;
    }
  }

  #measure(fileBytes: number): void {
    const bytes = Math.max(0, fileBytes - HEADER_BYTES);
    this.#chunks = this.#complete ? Math.ceil(bytes / BLOB_CHUNK_BYTES) : Math.floor(bytes / BLOB_CHUNK_BYTES);
    // Of an unfinished file the rest behind the last whole chunk was never acknowledged.
    this.#bytes = this.#complete ? bytes : this.#chunks * BLOB_CHUNK_BYTES;
  }
}

/** Whether an operation failed because somebody else deleted the file. */
export const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function openIfThere(path: string, flags: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
