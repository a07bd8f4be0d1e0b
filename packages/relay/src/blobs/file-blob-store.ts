import { accessSync, constants } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobChunk, BlobProgress } from '@qsec2/sdk/wire';
import type { Clock } from '../clock.ts';
import { Place, StorageLost } from '../storage-lost.ts';
import { BlobFile, type BlobPaths, isGone } from './blob-file.ts';
import type { BlobFigures, BlobStore, BlobStoreLimits, Put, PutRefusal } from './blob-store.ts';
import { Locks } from './locks.ts';

/** Files open at a time; others are opened again when they are needed. */
const MAX_OPEN = 256;
/** What a blob takes of its room's share besides its chunks: files cost something however small they are. */
const CHARGE_PER_BLOB = 4096;

export interface FileBlobStoreOptions {
  /** Made if it does not exist; nothing else may be in it. */
  dir: string;
  clock: Clock;
  limits: BlobStoreLimits;
  /** Flush to the disk before a chunk is acknowledged. */
  fsync: boolean;
  /** Whether the relay still has this room. */
  roomExists(room: string): Promise<boolean>;
  onError(error: unknown): void;
}

interface Entry {
  file: BlobFile;
  /** When somebody added to it, or asked for it. */
  touched: number;
  /** Bytes of the room's share that it takes; 0 once it was deleted. */
  charged: number;
}

interface RoomBlobs {
  blobs: Map<string, Entry>;
  bytes: number;
}

/**
 * Blobs as files: a folder a room, a file a blob. Relays that share the rooms of one database share the blobs when this folder is on
 * a volume of all of them; each finds what the others wrote.
 */
export class FileBlobStore implements BlobStore {
  readonly #options: FileBlobStoreOptions;
  readonly #place: Place;
  readonly #rooms = new Map<string, RoomBlobs>();
  /** Finding, making and deleting a blob, and giving a chunk its place, must not overlap. */
  readonly #locks = new Locks();
  /** Entries with an open file, the one used longest ago first. */
  readonly #open = new Set<Entry>();
  readonly #counts = { chunksStored: 0, chunksSent: 0, refusedByQuota: 0, expired: 0 };
  #blobs = 0;
  #bytes = 0;

  private constructor(options: FileBlobStoreOptions) {
    this.#options = options;
    this.#place = new Place(options.dir, 'FILES');
  }

  /** Takes up what an earlier process stored. */
  static async open(options: FileBlobStoreOptions): Promise<FileBlobStore> {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
    const store = new FileBlobStore(options);
    for (const folder of await readdir(options.dir, { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      const room = folder.name;
      // A room without a readable blob is known all the same, so that its folder goes when the room does.
      store.#room(room);
      for (const name of await readdir(join(options.dir, room))) await store.#find(room, name.replace(/\.(part|whole)$/, ''));
    }
    return store;
  }

  /** @throws {StorageLost} when the folder is not the one that was opened, or cannot be written to. */
  inPlace(): void {
    this.#place.size();
    try {
      accessSync(this.#options.dir, constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw new StorageLost('FILES_READ_ONLY', { cause });
    }
  }

  async put(put: Put): Promise<BlobProgress | PutRefusal> {
    this.#place.size();
    const placed = await this.#locks.run(`${put.room}/${put.blob}`, () => this.#take(put));
    if (typeof placed === 'string' || !('file' in placed)) return placed;
    const { file, stored } = placed;
    return this.#unlessGone(
      put,
      () => stored.then(() => file.progress),
      () => ({ chunks: 0, complete: false }),
    );
  }

  async get(room: string, blob: string, index: number | undefined): Promise<BlobChunk | undefined> {
    const entry = await this.#locks.run(`${room}/${blob}`, () => this.#find(room, blob));
    if (!entry) return undefined;
    const { file } = entry;
    const read = async () => {
      await file.settled();
      if (!file.progress.complete) await file.refresh();
      const data = index === undefined ? undefined : await file.read(index);
      if (data) this.#counts.chunksSent++;
      return { ...file.progress, ...(data && { data }) };
    };
    return this.#unlessGone({ room, blob }, read, () => undefined);
  }

  drop(room: string, blob: string, owner: string): Promise<boolean> {
    return this.#locks.run(`${room}/${blob}`, async () => {
      const entry = await this.#find(room, blob);
      if (entry && entry.file.owner !== owner) return false;
      if (entry) await this.#delete(room, blob, entry);
      return true;
    });
  }

  async endRoom(room: string): Promise<void> {
    for (const blob of [...(this.#rooms.get(room)?.blobs.keys() ?? [])]) await this.#deleteLocked(room, blob);
    this.#rooms.delete(room);
    await rm(join(this.#options.dir, room), { recursive: true, force: true });
  }

  async sweep(): Promise<void> {
    const { clock, limits, roomExists } = this.#options;
    const now = clock.now();
    for (const [room, { blobs }] of [...this.#rooms]) {
      if (!(await roomExists(room))) {
        await this.endRoom(room);
        continue;
      }
      for (const [blob, { file, touched }] of [...blobs]) {
        const old = now - file.created > limits.retentionMs;
        const givenUp = !file.progress.complete && now - touched > limits.unfinishedMs;
        if (!old && !givenUp) continue;
        this.#counts.expired++;
        await this.#deleteLocked(room, blob);
      }
    }
  }

  figures(): BlobFigures {
    return { blobs: this.#blobs, bytes: this.#bytes, ...this.#counts };
  }

  async close(): Promise<void> {
    for (const { blobs } of this.#rooms.values()) {
      for (const { file } of blobs.values()) {
        await file.settled();
        await file.closeHandle();
      }
    }
    this.#rooms.clear();
  }

  /** A blob whose file somebody else deleted is forgotten: who sends it begins again. */
  async #unlessGone<T, G>({ room, blob }: { room: string; blob: string }, work: () => Promise<T>, gone: () => G): Promise<T | G> {
    try {
      return await work();
    } catch (error) {
      if (!isGone(error)) throw error;
      this.#place.size();
      await this.#deleteLocked(room, blob);
      return gone();
    }
  }

  /** Gives the chunk its place, if it has one. What is stored, and when, is for the caller to wait for. */
  async #take(put: Put): Promise<PutRefusal | BlobProgress | { file: BlobFile; stored: Promise<void> }> {
    const { room, blob, owner, index, last, chunk } = put;
    const known = await this.#find(room, blob);
    if (known && known.file.owner !== owner) return 'owner';
    if (known ? !known.file.wants(index) : index > 0) {
      if (!known) return { chunks: 0, complete: false };
      return { file: known.file, stored: last ? known.file.finish(index) : known.file.settled() };
    }
    if (!this.#hasSpace(room, chunk.length + (known ? 0 : CHARGE_PER_BLOB))) {
      this.#counts.refusedByQuota++;
      return 'quota';
    }
    const entry = known ?? (await this.#create(room, blob, owner));
    this.#charge(room, entry, chunk.length);
    const stored = entry.file.append(chunk, last).then(
      () => {
        this.#counts.chunksStored++;
      },
      (error: unknown) => {
        if (entry.charged > 0) this.#charge(room, entry, -chunk.length);
        throw error;
      },
    );
    return { file: entry.file, stored };
  }

  /** The blob as this process knows it, or as it finds it in the folder. */
  async #find(room: string, blob: string): Promise<Entry | undefined> {
    const known = this.#rooms.get(room)?.blobs.get(blob);
    if (known) return this.#touch(known);
    const file = await BlobFile.load(this.#paths(room, blob), this.#options.fsync);
    return file && this.#keep(room, blob, file);
  }

  async #create(room: string, blob: string, owner: string): Promise<Entry> {
    await mkdir(join(this.#options.dir, room), { recursive: true, mode: 0o700 });
    const header = { owner, created: this.#options.clock.now() };
    return this.#keep(room, blob, await BlobFile.create(this.#paths(room, blob), header, this.#options.fsync));
  }

  #deleteLocked(room: string, blob: string): Promise<void> {
    return this.#locks.run(`${room}/${blob}`, async () => {
      const entry = this.#rooms.get(room)?.blobs.get(blob);
      if (entry) await this.#delete(room, blob, entry);
    });
  }

  async #delete(room: string, blob: string, entry: Entry): Promise<void> {
    this.#rooms.get(room)?.blobs.delete(blob);
    this.#open.delete(entry);
    this.#blobs--;
    this.#charge(room, entry, -entry.charged);
    await entry.file.delete();
  }

  #keep(room: string, blob: string, file: BlobFile): Entry {
    const { blobs } = this.#room(room);
    const entry: Entry = { file, touched: 0, charged: 0 };
    blobs.set(blob, entry);
    this.#blobs++;
    this.#charge(room, entry, CHARGE_PER_BLOB + file.bytes);
    return this.#touch(entry);
  }

  #touch(entry: Entry): Entry {
    entry.touched = this.#options.clock.now();
    this.#open.delete(entry);
    this.#open.add(entry);
    for (const oldest of this.#open) {
      if (this.#open.size <= MAX_OPEN) break;
      // One that is being read or written stays open, and in the set.
      if (!oldest.file.unused) continue;
      this.#open.delete(oldest);
      oldest.file.closeHandle().catch(this.#options.onError);
    }
    return entry;
  }

  #room(room: string): RoomBlobs {
    const known = this.#rooms.get(room) ?? { blobs: new Map<string, Entry>(), bytes: 0 };
    this.#rooms.set(room, known);
    return known;
  }

  #hasSpace(room: string, bytes: number): boolean {
    const { roomBytes, totalBytes } = this.#options.limits;
    return (this.#rooms.get(room)?.bytes ?? 0) + bytes <= roomBytes && this.#bytes + bytes <= totalBytes;
  }

  #charge(room: string, entry: Entry, bytes: number): void {
    entry.charged += bytes;
    this.#room(room).bytes += bytes;
    this.#bytes += bytes;
  }

  #paths(room: string, blob: string): BlobPaths {
    const base = join(this.#options.dir, room, blob);
    return { part: `${base}.part`, whole: `${base}.whole` };
  }
}
