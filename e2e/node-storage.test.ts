import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStorage } from '../examples/node-storage/file-storage.mjs';
import { type ConnectOptions, connect, type Room } from '../packages/sdk/src/index.ts';
import { MemoryRelay } from '../packages/sdk/src/testing/index.ts';

/** The example of a storage for Node, as an application uses it. */

let folder: string;
const open: Room[] = [];
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'qsec2-storage-')), 'rooms');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
  await rm(join(folder, '..'), { recursive: true });
});

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions>): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

const secure = async (room: Room) => {
  while (room.state !== 'secure') await room.once('state');
};

/** Ana's room, and Bo in it, who keeps it in the folder. */
async function kept(relay: MemoryRelay) {
  const ana = await enter(relay, { name: 'Ana' });
  const back = async () =>
    enter(relay, { name: 'Bo', invite: ana.invite, persist: 'device', storage: await fileStorage(folder) });
  const bo = await back();
  await Promise.all([secure(ana), secure(bo)]);
  await (await ana.send('the key is under the mat')).delivered;
  return { ana, bo, back };
}

describe('a storage in a folder', () => {
  it('brings a process that starts again back into the room, as who it was, with what was said', async () => {
    const { ana, bo, back } = await kept(new MemoryRelay());
    await bo.suspend();
    const again = await back();
    expect(again.me.id).toBe(bo.me.id);
    expect(again.history().map(({ text }) => text)).toEqual(['the key is under the mat']);
    await secure(again);
    await (await ana.send('still there?')).delivered;
    expect(again.history().at(-1)?.text).toBe('still there?');
  });

  it('is for its owner alone, shows no text, and is empty once the room is left', async () => {
    const { bo } = await kept(new MemoryRelay());
    const path = join(folder, 'rooms.json');
    expect([(await stat(folder)).mode & 0o777, (await stat(path)).mode & 0o777]).toEqual([0o700, 0o600]);
    const values = Object.values(JSON.parse(await readFile(path, 'utf8')) as Record<string, string>);
    expect(values.length).toBeGreaterThan(2);
    expect(values.some((value) => Buffer.from(value, 'base64').includes('under the mat'))).toBe(false);
    await bo.leave();
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({});
    expect(await readdir(folder)).toEqual(['rooms.json']);
  });

  it('lets one process at a time have a room, and forgets one that is no more', async () => {
    const { bo, back } = await kept(new MemoryRelay());
    await expect(back()).rejects.toMatchObject({ code: 'ROOM_OPEN_ELSEWHERE' });
    const [lock] = (await readdir(folder)).filter((name) => name.endsWith('.lock'));
    expect(await readFile(join(folder, lock ?? ''), 'utf8')).toBe(String(process.pid));
    await bo.suspend();
    // Above the highest process number there can be.
    await writeFile(join(folder, lock ?? ''), String(2 ** 30));
    await secure(await back());
  });

  it('says so when the disk takes nothing', async () => {
    const { bo } = await kept(new MemoryRelay());
    const told = bo.once('error');
    // A file may be on its way into the folder.
    await rm(folder, { recursive: true, maxRetries: 10 });
    void bo.send('on a disk that is gone');
    expect(await told).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});
