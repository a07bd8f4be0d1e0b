import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { appendFile, type FileHandle, open as openFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOB_CHUNK_BYTES } from '@qsec2/sdk/wire';
import { describe, expect, it, vi } from 'vitest';
import { random16 } from '../testing/client.ts';
import { afterThisTest, temporaryFolder } from '../testing/relay-fixture.ts';
import type { Put } from './blob-store.ts';
import { FileBlobStore, type FileBlobStoreOptions } from './file-blob-store.ts';

const HOUR = 3_600_000;
const room = 'room-one';
const full = () => randomBytes(BLOB_CHUNK_BYTES);

interface Fixture {
  store: FileBlobStore;
  dir: string;
  clock: { time: number; now(): number };
  again(): Promise<FileBlobStore>;
}

async function open(options: Partial<FileBlobStoreOptions> = {}): Promise<Fixture> {
  const clock = {
    time: 1_000_000,
    now() {
      return this.time;
    },
  };
  const dir = options.dir ?? join(temporaryFolder(), 'blobs');
  const all: FileBlobStoreOptions = {
    dir,
    clock,
    limits: { roomBytes: 10 * BLOB_CHUNK_BYTES, totalBytes: 15 * BLOB_CHUNK_BYTES, retentionMs: 24 * HOUR, unfinishedMs: HOUR },
    fsync: false,
    roomExists: async () => true,
    onError: (error) => {
      throw error;
    },
    ...options,
  };
  const again = async () => {
    const store = await FileBlobStore.open(all);
    afterThisTest(() => store.close());
    return store;
  };
  return { store: await again(), dir, clock, again };
}

const put = (put: Partial<Put> & Pick<Put, 'blob' | 'chunk'>): Put => ({ room, owner: OWNER, index: 0, last: false, ...put });
const OWNER = random16();

/** Stores these chunks, all under way at once. */
const putAll = (store: FileBlobStore, blob: string, chunks: Buffer[]) =>
  Promise.all(chunks.map((chunk, index) => store.put(put({ blob, chunk, index, last: index === chunks.length - 1 }))));

async function read(store: FileBlobStore, blob: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let index = 0; ; index++) {
    const found = await store.get(room, blob, index);
    if (!found?.data) return Buffer.concat(chunks);
    chunks.push(found.data as Buffer);
  }
}

describe.each([false, true])('a store of blobs in files (fsync: %s)', (fsync) => {
  it('returns what was stored, chunk by chunk, and says how far a blob got', async () => {
    const { store } = await open({ fsync });
    const blob = random16();
    const chunks = [full(), full(), randomBytes(500)];
    expect(await putAll(store, blob, chunks)).toContainEqual({ chunks: 3, complete: true });
    expect(Buffer.compare(await read(store, blob), Buffer.concat(chunks))).toBe(0);
    expect(await store.get(room, blob, undefined)).toEqual({ chunks: 3, complete: true });
    expect(await store.get(room, random16(), 0)).toBeUndefined();
    expect(await store.get('another room', blob, 0)).toBeUndefined();
  });

  it('goes on after a restart at the first missing chunk, whatever a crash left behind it', async () => {
    const { store, dir, again } = await open({ fsync });
    const blob = random16();
    const [a, b, c] = [full(), full(), full()];
    await store.put(put({ blob, chunk: a }));
    await store.put(put({ blob, chunk: b, index: 1 }));
    await store.close();
    await appendFile(join(dir, room, `${blob}.part`), randomBytes(70));
    const next = await again();
    expect(await next.get(room, blob, undefined)).toEqual({ chunks: 2, complete: false });
    expect(await next.put(put({ blob, chunk: c, index: 2, last: true }))).toEqual({ chunks: 3, complete: true });
    expect(Buffer.compare(await read(next, blob), Buffer.concat([a, b, c]))).toBe(0);
  });

  it('takes a last chunk again that was stored but not yet known to be the last', async () => {
    const { store, again } = await open({ fsync });
    const blob = random16();
    const [a, b] = [full(), full()];
    await store.put(put({ blob, chunk: a }));
    // As a crash between writing the last chunk and renaming the file leaves it.
    await store.put(put({ blob, chunk: b, index: 1 }));
    await store.close();
    const next = await again();
    expect(await next.put(put({ blob, chunk: b, index: 1, last: true }))).toEqual({ chunks: 2, complete: true });
    expect(Buffer.compare(await read(next, blob), Buffer.concat([a, b]))).toBe(0);
  });
});

describe('a put', () => {
  it('that repeats a chunk changes nothing; one beyond the first missing place is not stored', async () => {
    const { store } = await open();
    const blob = random16();
    const first = full();
    expect(await store.put(put({ blob, chunk: full(), index: 1 }))).toEqual({ chunks: 0, complete: false });
    await store.put(put({ blob, chunk: first }));
    expect(await store.put(put({ blob, chunk: full() }))).toEqual({ chunks: 1, complete: false });
    expect(await store.put(put({ blob, chunk: full(), index: 5 }))).toEqual({ chunks: 1, complete: false });
    expect(Buffer.compare(await read(store, blob), first)).toBe(0);
  });

  it('behind the last chunk is not stored', async () => {
    const { store } = await open();
    const blob = random16();
    const both = [store.put(put({ blob, chunk: full(), last: true })), store.put(put({ blob, chunk: full(), index: 1 }))];
    expect(await Promise.all(both)).toEqual([
      { chunks: 1, complete: true },
      { chunks: 1, complete: true },
    ]);
  });

  it('of another member is refused, and so is its drop', async () => {
    const { store } = await open();
    const blob = random16();
    await store.put(put({ blob, chunk: full() }));
    expect(await store.put(put({ blob, chunk: full(), index: 1, owner: random16() }))).toBe('owner');
    expect(await store.drop(room, blob, random16())).toBe(false);
    expect(await store.get(room, blob, undefined)).toEqual({ chunks: 1, complete: false });
  });

  it('beyond the share of the room, or of the relay, is refused until something is deleted', async () => {
    const { store } = await open();
    const [blob, other] = [random16(), random16()];
    const answers = await putAll(store, blob, Array.from({ length: 12 }, full));
    expect(answers.filter((answer) => answer === 'quota').length).toBeGreaterThanOrEqual(1);
    expect(store.figures().bytes).toBeLessThanOrEqual(10 * BLOB_CHUNK_BYTES);
    for (let index = 0; index < 5; index++) await store.put(put({ room: 'another', blob: other, chunk: full(), index }));
    expect(await store.put(put({ room: 'a third', blob: other, chunk: full() }))).toBe('quota');
    expect(await store.drop(room, blob, OWNER)).toBe(true);
    expect(await store.put(put({ room: 'a third', blob: other, chunk: full() }))).toEqual({ chunks: 1, complete: false });
    expect(store.figures().refusedByQuota).toBeGreaterThanOrEqual(2);
  });

  it('that cannot be written is an error, takes no space, and can be tried again', async () => {
    const { store, dir } = await open();
    // A file where the room's folder ought to be.
    await writeFile(join(dir, 'blocked'), '');
    await expect(store.put(put({ room: 'blocked', blob: random16(), chunk: full() }))).rejects.toThrow();
    expect(store.figures()).toMatchObject({ blobs: 0, bytes: 0 });
  });
});

describe('nothing is left behind', () => {
  const files = async (dir: string) => (await readdir(dir, { recursive: true })).filter((name) => name.includes('.'));

  it('by a blob that was dropped, even while it was being written', async () => {
    const { store, dir } = await open();
    const blob = random16();
    await store.put(put({ blob, chunk: full() }));
    const writing = Promise.allSettled([1, 2, 3].map((index) => store.put(put({ blob, chunk: full(), index }))));
    expect(await store.drop(room, blob, OWNER)).toBe(true);
    await writing;
    expect(await files(dir)).toEqual([]);
    expect(store.figures()).toMatchObject({ blobs: 0, bytes: 0 });
    expect(await store.drop(room, blob, OWNER)).toBe(true);
  });

  it('by a room that ended, and by rooms that the relay no longer has', async () => {
    const rooms = new Set([room, 'another']);
    const { store, dir } = await open({ roomExists: async (name) => rooms.has(name) });
    await store.put(put({ blob: random16(), chunk: full() }));
    await store.put(put({ room: 'another', blob: random16(), chunk: full() }));
    await store.endRoom(room);
    expect(existsSync(join(dir, room))).toBe(false);
    await store.sweep();
    expect(await files(dir)).toHaveLength(1);
    rooms.clear();
    await store.sweep();
    expect(await readdir(dir)).toEqual([]);
    expect(store.figures()).toMatchObject({ blobs: 0, bytes: 0 });
  });

  it('by files that cannot be read, and other files do not keep a relay from starting', async () => {
    const { store, dir, again } = await open({ roomExists: async () => false });
    await store.put(put({ blob: random16(), chunk: full() }));
    await store.close();
    await writeFile(join(dir, room, `${random16()}.part`), 'no header');
    await writeFile(join(dir, room, `${random16()}.whole`), randomBytes(100));
    await writeFile(join(dir, 'notes.txt'), 'of an operator');
    const next = await again();
    expect(next.figures().blobs).toBe(1);
    await next.sweep();
    expect(await readdir(dir)).toEqual(['notes.txt']);
  });

  it('when their time is up: a day, or an hour for what nobody goes on sending', async () => {
    const { store, dir, clock, again } = await open();
    const [whole, part] = [random16(), random16()];
    await putAll(store, whole, [full(), randomBytes(100)]);
    await store.put(put({ blob: part, chunk: full() }));
    clock.time += HOUR + 1;
    await store.sweep();
    expect(await store.get(room, part, undefined)).toBeUndefined();
    expect((await store.get(room, whole, undefined))?.complete).toBe(true);
    await store.close();
    // The age outlives the process.
    const next = await again();
    clock.time += 23 * HOUR;
    await next.sweep();
    expect(await files(dir)).toEqual([]);
    expect(next.figures().expired).toBe(1);
  });
});

describe('relays on one folder', () => {
  it('read what the others wrote, while it grows and when it is complete', async () => {
    const { store, again } = await open();
    const other = await again();
    const blob = random16();
    const [a, b] = [full(), randomBytes(99)];
    await store.put(put({ blob, chunk: a }));
    expect(await other.get(room, blob, undefined)).toEqual({ chunks: 1, complete: false });
    await store.put(put({ blob, chunk: b, index: 1, last: true }));
    expect(await other.get(room, blob, undefined)).toEqual({ chunks: 2, complete: true });
    expect(Buffer.compare(await read(other, blob), Buffer.concat([a, b]))).toBe(0);
  });
});

describe('a chunk', () => {
  it.each([[true], [false]])('is on the disk before it is acknowledged where that is asked for: %s', async (fsync) => {
    const { store } = await open({ fsync });
    const probe = await openFile(process.execPath, 'r');
    const handles = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const data = vi.spyOn(handles, 'datasync');
    const folder = vi.spyOn(handles, 'sync');
    let acknowledged = false;
    data.mockImplementation(async () => {
      expect(acknowledged).toBe(false);
    });
    await store.put(put({ blob: 'a', chunk: full() }));
    acknowledged = true;
    expect(data).toHaveBeenCalledTimes(fsync ? 1 : 0);
    expect(folder).not.toHaveBeenCalled();
    data.mockRestore();
    await store.put(put({ blob: 'a', chunk: full(), index: 1, last: true }));
    expect(folder).toHaveBeenCalledTimes(fsync ? 1 : 0);
    folder.mockRestore();
  });
});

describe('a blob whose file somebody else deleted', () => {
  it.each([
    ['while it grows', false],
    ['when it is complete', true],
  ])('is begun again: %s', async (_, whole) => {
    const roomy = { roomBytes: 2 ** 26, totalBytes: 2 ** 26, retentionMs: HOUR, unfinishedMs: HOUR };
    const { store, dir } = await open({ limits: roomy });
    const chunks = [full(), full()];
    await store.put(put({ blob: 'a', chunk: chunks[0]!, last: false }));
    if (whole) await store.put(put({ blob: 'a', chunk: chunks[1]!, index: 1, last: true }));
    rmSync(join(dir, room), { recursive: true });
    if (!whole)
      expect(await store.put(put({ blob: 'a', chunk: chunks[1]!, index: 1, last: true }))).toEqual({
        chunks: 0,
        complete: false,
      });
    else expect(await await reopened(store, 'a')).toBeUndefined();
    await putAll(store, 'a', chunks);
    expect(await read(store, 'a')).toEqual(Buffer.concat(chunks));
    expect(store.figures().blobs).toBe(1);
  });
});

/** Asks for the first chunk once the file is not open any more. */
async function reopened(store: FileBlobStore, blob: string) {
  for (let i = 0; i < 257; i++)
    await store.put(put({ blob: `other-${i}`, room: 'room-two', chunk: Buffer.alloc(1), last: true }));
  for (let i = 0; i < 257; i++) await store.drop('room-two', `other-${i}`, OWNER);
  return store.get(room, blob, 0);
}
