import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { Invite } from '../protocol/invite.ts';
import { randomBytes } from '../protocol/random.ts';
import type { StoragePort } from '../storage/port.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { connect } from './connect.ts';
import { storedRooms } from './stored-rooms.ts';
import type { Member, Message, Room } from './types.ts';

const RELAY = 'http://relay.test';
const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions>): Promise<Room> {
  const room = await connect({ relay: RELAY, transport: relay.transport, ...options });
  open.push(room);
  return room;
}

async function secure(...rooms: Room[]): Promise<void> {
  for (const room of rooms) while (room.state !== 'secure') await room.once('state');
}

/** The first message, past ones included, with this text. */
async function heard(room: Room, text: string): Promise<Message> {
  for (;;) {
    const message = room.history().find((candidate) => candidate.text === text);
    if (message) return message;
    await Promise.race([room.once('message'), room.once('update')]);
  }
}

async function until(room: Room, holds: () => boolean): Promise<void> {
  while (!holds()) await Promise.race([room.once('members'), room.once('state'), room.once('update'), room.once('message')]);
}

/** Ana's room with Bo in it, who keeps what he has in `storage`. */
async function pair(relay: MemoryRelay, storage: StoragePort, options: Partial<ConnectOptions> = {}) {
  const kept = { persist: 'device' as const, storage, ...options };
  const ana = await enter(relay, { name: 'Ana', capacity: 3 });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite, ...kept });
  await secure(ana, bo);
  const back = (more: Partial<ConnectOptions> = {}) => enter(relay, { invite: ana.invite, ...kept, ...more });
  return { ana, bo, back };
}

const texts = (room: Room) => room.history().map(({ text }) => text);

describe('a room that is kept', () => {
  it('is returned to as the same member, with its history, and gets once what was sent meanwhile', async () => {
    const relay = new MemoryRelay();
    const { ana, bo, back } = await pair(relay, memoryStorage());
    const first = await ana.send('before');
    await first.delivered;
    await (await bo.send('mine')).delivered;
    await bo.suspend();
    expect(bo.state).toBe('closed');
    const meanwhile = await ana.send('meanwhile');
    await ana.edit(first.id, 'before, edited');

    const again = await back();
    expect(again.me).toMatchObject({ id: bo.me.id, name: 'Bo' });
    expect(texts(again)).toEqual(['before', 'mine']);
    expect(again.history()[0]?.from).toMatchObject({ id: ana.me.id, name: 'Ana' });
    await secure(again);
    expect((await meanwhile.delivered).pending).toEqual([]);
    await heard(again, 'before, edited');
    await (await ana.send('after')).delivered;
    expect(texts(again)).toEqual(['before, edited', 'mine', 'meanwhile', 'after']);
    expect(ana.members.map(({ id }) => id)).toEqual([bo.me.id]);
  });

  it('sends again, with the same id, what nobody had confirmed when it was closed', async () => {
    const relay = new MemoryRelay();
    const { ana, bo, back } = await pair(relay, memoryStorage());
    const received: string[] = [];
    ana.on('message', ({ id }) => received.push(id));
    relay.cut();
    await until(bo, () => bo.state === 'reconnecting');
    const sent = await bo.send('never left the page');
    expect(sent.status).toBe('sending');
    await bo.suspend();
    relay.restore();

    const again = await back();
    expect(again.history()).toMatchObject([{ id: sent.id, status: 'sending' }]);
    await until(again, () => again.history()[0]?.status === 'delivered');
    expect(received).toEqual([sent.id]);
    const next = await again.send('and on');
    await next.delivered;
    expect(received).toEqual([sent.id, next.id]);
  });

  it('keeps reactions, removals, what was read, and who was verified', async () => {
    const relay = new MemoryRelay();
    const { ana, bo, back } = await pair(relay, memoryStorage());
    const [one, two] = [await ana.send('one'), await ana.send('two')];
    await Promise.all([heard(bo, 'one'), heard(bo, 'two')]);
    await bo.react(one.id, '🎉');
    await bo.read(one.id);
    await ana.remove(two.id);
    await until(bo, () => bo.history()[1]?.gone === 'removed');
    bo.members[0]?.verify();
    await bo.suspend();

    const again = await back();
    expect(again.history()).toMatchObject([
      { id: one.id, text: 'one', reactions: [{ emoji: '🎉', by: ['me'] }], status: 'read' },
      { id: two.id, gone: 'removed' },
    ]);
    await secure(again);
    expect(again.members.map(({ verified }) => verified)).toEqual([true]);
  });

  it('forgets what disappeared while it was closed', async () => {
    const relay = new MemoryRelay();
    const storage = memoryStorage();
    const { ana, bo, back } = await pair(relay, storage);
    const message = heard(bo, 'for a moment');
    const gone = new Promise<void>((resolve) => {
      ana.on('update', (update) => update.gone === 'expired' && resolve());
    });
    await ana.send('for a moment', { expiresInMs: 250 });
    await message;
    await bo.suspend();
    expect(names(storage, '/message/')).toBe(1);
    await gone;
    // Bo's own clock began when it was shown to him, after Ana's.
    const { expiresAt } = await message;
    await vi.waitUntil(() => Date.now() >= Number(expiresAt));
    const again = await back();
    expect(texts(again)).toEqual([]);
    await secure(again);
    await (await ana.send('later')).delivered;
    expect(texts(again)).toEqual(['later']);
    expect(names(storage, '/message/')).toBe(1);
  });

  it('goes on under its creator, who still knows whom it let in', async () => {
    const relay = new MemoryRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const ana = await enter(relay, { name: 'Ana', capacity: 3, join: 'approve', roomName: 'Plans', ...kept });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(ana, () => ana.members.length === 1);
    await ana.approve(ana.members[0] as Member);
    await secure(ana, bo);
    await ana.lock();
    await ana.suspend();

    const again = await enter(relay, { invite: ana.invite, ...kept });
    expect(again.me).toMatchObject({ id: ana.me.id, creator: true });
    expect(again.policy).toMatchObject({ name: 'Plans', join: 'approve', locked: true, capacity: 3 });
    await secure(again);
    const told = new Promise<void>((resolve) => {
      bo.on('security', ({ kind }) => kind === 'policy' && resolve());
    });
    await again.unlock();
    await told;
    expect(bo.policy.locked).toBe(false);
  });

  it('may be kept by a storage that holds bytes only', async () => {
    const relay = new MemoryRelay();
    const storage = memoryStorage({ keepsCryptoKeys: false });
    const { bo, back } = await pair(relay, storage);
    await bo.suspend();
    for (const value of storage.entries.values()) expect(value).toBeInstanceOf(Uint8Array);
    const again = await back();
    expect(again.me.id).toBe(bo.me.id);
    await secure(again);
  });
});

describe('what is stored', () => {
  it('shows neither invite nor seat nor text, and no key that could be exported', async () => {
    const storage = memoryStorage();
    const { ana, bo } = await pair(new MemoryRelay(), storage);
    const arrived = heard(bo, 'a text that nobody else should read');
    await ana.send('a text that nobody else should read');
    await arrived;
    await bo.suspend();
    const keys: CryptoKey[] = [];
    const bytes: Uint8Array[] = [];
    for (const value of storage.entries.values()) value instanceof Uint8Array ? bytes.push(value) : keys.push(value);
    expect(keys.map(({ extractable, type }) => [type, extractable])).toEqual([
      ['secret', false],
      ['private', false],
    ]);
    for (const key of keys) {
      await expect(crypto.subtle.exportKey(key.type === 'private' ? 'pkcs8' : 'raw', key)).rejects.toThrow();
    }
    const all = Buffer.concat(bytes).toString('latin1') + [...storage.entries.keys()].join();
    const { secret, roomId, code } = ana.invite;
    const secrets = [
      'a text that nobody',
      code.slice(-40),
      Buffer.from(secret).toString('latin1'),
      Buffer.from(roomId).toString('latin1'),
    ];
    for (const needle of secrets) expect(all.includes(needle)).toBe(false);
  });

  it('is nothing at all unless that was asked for', async () => {
    const storage = memoryStorage();
    const { bo } = await pair(new MemoryRelay(), storage, { persist: 'none' });
    await (await bo.send('hi')).delivered;
    expect(storage.entries.size).toBe(0);
  });

  it('is erased by forgetting, after which nothing more is stored, and by leaving', async () => {
    const relay = new MemoryRelay();
    const storage = memoryStorage();
    const { ana, bo } = await pair(relay, storage);
    await (await bo.send('stored')).delivered;
    await bo.forget();
    expect(storage.entries.size).toBe(0);
    await (await bo.send('not stored')).delivered;
    await (await ana.send('nor this')).delivered;
    expect(storage.entries.size).toBe(0);
    expect(await storedRooms({ relay: RELAY, persist: 'device', storage })).toEqual([]);

    const other = memoryStorage();
    const cy = await pair(new MemoryRelay(), other);
    await cy.bo.leave();
    expect(other.entries.size).toBe(0);
  });

  it('is begun anew where it does not open', async () => {
    const storage = memoryStorage();
    const { bo, back } = await pair(new MemoryRelay(), storage);
    await bo.suspend();
    const [room] = [...storage.entries.keys()].filter((name) => name.includes('/room/'));
    await storage.write(new Map([[room as string, new Uint8Array(100)]]));
    const again = await back();
    expect(again.me.id).not.toBe(bo.me.id);
    expect(again.history()).toEqual([]);
  });
});

describe('stored rooms', () => {
  it('are listed with their names and invites, last used first, and only those of this relay', async () => {
    const relay = new MemoryRelay();
    const storage = memoryStorage();
    const kept = { persist: 'device' as const, storage };
    const one = await enter(relay, { name: 'Ana', roomName: 'One', ...kept });
    const two = await enter(relay, { name: 'Ana of two', roomName: 'Two', ...kept });
    await one.suspend();
    const closed = Date.now();
    await vi.waitUntil(() => Date.now() > closed);
    await two.suspend();
    const rooms = await storedRooms({ relay: RELAY, ...kept });
    expect(rooms.map(({ roomName, name, invite }) => [roomName, name, invite.code])).toEqual([
      ['Two', 'Ana of two', two.invite.code],
      ['One', 'Ana', one.invite.code],
    ]);
    expect(await storedRooms({ relay: 'http://other.test', ...kept })).toEqual([]);
    await rooms[0]?.forget();
    expect(await storedRooms({ relay: RELAY, ...kept })).toHaveLength(1);
    const again = await enter(relay, { invite: one.invite, ...kept });
    expect(again.me.id).toBe(one.me.id);
  });

  it('are open in one place at a time', async () => {
    const relay = new MemoryRelay();
    const { bo, back } = await pair(relay, memoryStorage());
    await expect(back()).rejects.toMatchObject({ code: 'ROOM_OPEN_ELSEWHERE' });
    expect(bo.state).toBe('secure');
    await bo.suspend();
    await secure(await back());
  });

  it('are not entered by an invite that contradicts the stored one', async () => {
    const { ana, bo, back } = await pair(new MemoryRelay(), memoryStorage());
    await bo.suspend();
    const forged = new Invite({ ...ana.invite, secret: randomBytes(32) });
    await expect(back({ invite: forged })).rejects.toMatchObject({ code: 'INVITE_INVALID' });
    await back();
  });
});

describe('a storage that fails', () => {
  it('at the beginning is an error with a code', async () => {
    const storage = { ...memoryStorage(), list: () => Promise.reject(new Error('disk')) };
    await expect(enter(new MemoryRelay(), { persist: 'device', storage })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(enter(new MemoryRelay(), { persist: 'device' })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it('later is told once, and costs no message', async () => {
    const storage = memoryStorage();
    let full = false;
    const write = storage.write.bind(storage);
    const failing = {
      ...storage,
      write: (changes: Parameters<typeof write>[0]) => (full ? Promise.reject(new Error('full')) : write(changes)),
    };
    const { ana, bo } = await pair(new MemoryRelay(), failing);
    const errors: unknown[] = [];
    bo.on('error', (error) => errors.push(error));
    full = true;
    for (const text of ['one', 'two', 'three']) expect((await (await ana.send(text)).delivered).pending).toEqual([]);
    expect(texts(bo)).toEqual(['one', 'two', 'three']);
    expect(errors).toMatchObject([{ code: 'STORAGE_UNAVAILABLE' }]);
  });
});

const names = (storage: ReturnType<typeof memoryStorage>, part: string) =>
  [...storage.entries.keys()].filter((name) => name.includes(part)).length;
