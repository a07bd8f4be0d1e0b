import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { connect } from './connect.ts';
import type { Message, Room } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions>): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

async function gather(relay: MemoryRelay, ...names: string[]): Promise<Room[]> {
  const rooms: Room[] = [];
  for (const name of names) {
    rooms.push(await enter(relay, { name, ...(rooms[0] ? { invite: rooms[0].invite } : { capacity: names.length }) }));
  }
  for (const room of rooms) {
    while (room.members.length < names.length - 1 || room.state !== 'secure') {
      await Promise.race([room.once('members'), room.once('state')]);
    }
  }
  return rooms;
}

const pair = (relay = new MemoryRelay()) => gather(relay, 'Ana', 'Bo') as Promise<[Room, Room]>;

/** The first update, from now on, that fits. */
function update(room: Room, fits: (message: Message) => boolean): Promise<Message> {
  return new Promise((resolve) => {
    const off = room.on('update', (message) => {
      if (!fits(message)) return;
      off();
      resolve(message);
    });
  });
}

async function said(from: Room, to: Room, text: string): Promise<string> {
  const arrived = to.once('message');
  const { id } = await from.send(text);
  expect((await arrived).id).toBe(id);
  return id;
}

describe('an edited message', () => {
  it('has its new text and the time of the change, on both sides', async () => {
    const [ana, bo] = await pair();
    const id = await said(ana, bo, 'helo');
    const changed = update(bo, ({ edited }) => edited !== undefined);
    const sent = await ana.edit(id, 'hello');
    expect(await changed).toMatchObject({ id, text: 'hello', edited: expect.any(Date) });
    expect((await sent.delivered).pending).toEqual([]);
    for (const room of [ana, bo]) expect(room.history()).toMatchObject([{ id, text: 'hello' }]);
  });

  it('is its author’s to edit and to remove, and nobody else’s', async () => {
    const [ana, bo] = await pair();
    const id = await said(ana, bo, 'mine');
    await expect(bo.edit(id, 'yours')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(bo.remove(id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(ana.edit('0'.repeat(32), 'none')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('a removed message', () => {
  it('keeps its place and nothing else', async () => {
    const [ana, bo] = await pair();
    const id = await said(ana, bo, 'too much');
    await bo.react(id, '😮');
    const gone = update(bo, (message) => message.gone === 'removed');
    await ana.remove(id);
    await gone;
    for (const room of [ana, bo]) {
      const [remains] = room.history();
      expect(remains).toMatchObject({ id, gone: 'removed', reactions: [] });
      expect(remains).not.toHaveProperty('text');
    }
    await expect(ana.edit(id, 'again')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('never reaches who has not got it yet', async () => {
    const relay = new MemoryRelay();
    const [ana, bo] = await pair(relay);
    const received: (string | undefined)[] = [];
    bo.on('message', ({ text }) => received.push(text));
    relay.cut();
    while (ana.state !== 'reconnecting') await ana.once('state');
    const { id, delivered } = await ana.send('regretted');
    await ana.remove(id);
    expect(await delivered).toMatchObject({ pending: [bo.me.id], expired: true });
    relay.restore();
    await (await ana.send('kept')).delivered;
    expect(received).toEqual(['kept']);
    expect(bo.history().map(({ text }) => text)).toEqual(['kept']);
  });
});

describe('reactions', () => {
  it('count once a member, are grouped, and can be taken back', async () => {
    const [ana, bo, cy] = (await gather(new MemoryRelay(), 'Ana', 'Bo', 'Cy')) as [Room, Room, Room];
    const atCy = cy.once('message');
    const id = await said(ana, bo, 'who comes along?');
    await atCy;
    const both = update(ana, ({ reactions }) => reactions[0]?.by.length === 2);
    await bo.react(id, '🎉');
    await bo.react(id, '👍🏽');
    await cy.react(id, '👍🏽');
    const [reaction, ...others] = (await both).reactions;
    expect(others).toEqual([]);
    expect(reaction?.emoji).toBe('👍🏽');
    const ids = reaction?.by.map((member) => (member === 'me' ? member : member.id));
    expect([...(ids ?? [])].sort()).toEqual([bo.me.id, cy.me.id].sort());

    const back = update(ana, ({ reactions }) => reactions[0]?.by.length === 1);
    await bo.react(id, undefined);
    await back;
    expect(bo.history()[0]?.reactions.flatMap(({ by }) => by)).toMatchObject([{ id: cy.me.id }]);
  });

  it.each(['', 'ok', '👍👍', '<b>', 'a'.repeat(100)])('are one emoji: not %j', async (emoji) => {
    const [ana, bo] = await pair();
    const id = await said(ana, bo, 'hi');
    await expect(bo.react(id, emoji)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('read receipts', () => {
  it('tell the author alone, and once everyone read it the message is read', async () => {
    const [ana, bo, cy] = (await gather(new MemoryRelay(), 'Ana', 'Bo', 'Cy')) as [Room, Room, Room];
    const atCy = cy.once('message');
    const id = await said(ana, bo, 'read me');
    await atCy;
    const seenByCy: Message[] = [];
    cy.on('update', (message) => seenByCy.push(message));
    await bo.read(id);
    await (await ana.send('something else')).delivered;
    expect(ana.history()[0]?.status).toBe('delivered');
    const read = update(ana, (message) => message.id === id && message.status === 'read');
    await cy.read(id);
    await read;
    expect(seenByCy.map(({ status }) => status)).toEqual(['read']);
    expect(bo.history()[0]?.status).toBe('read');
  });
});

describe('a message that disappears', () => {
  it('is gone on both sides when its time is up, and its author can no longer touch it', async () => {
    const [ana, bo] = await pair();
    const arrived = bo.once('message');
    const goneAtAna = update(ana, ({ gone }) => gone === 'expired');
    const goneAtBo = update(bo, ({ gone }) => gone === 'expired');
    const { id } = await ana.send('for a moment', { expiresInMs: 300 });
    expect(await arrived).toMatchObject({ id, text: 'for a moment', expiresAt: expect.any(Date) });
    for (const update of await Promise.all([goneAtAna, goneAtBo])) {
      expect(update.id).toBe(id);
      expect(update).not.toHaveProperty('text');
    }
    expect([ana.history(), bo.history()]).toEqual([[], []]);
    await expect(ana.edit(id, 'back')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('is never sent once its time is up', async () => {
    const relay = new MemoryRelay();
    const [ana, bo] = await pair(relay);
    const received: (string | undefined)[] = [];
    bo.on('message', ({ text }) => received.push(text));
    relay.cut();
    while (ana.state !== 'reconnecting') await ana.once('state');
    const expired = update(ana, ({ gone }) => gone === 'expired');
    const { delivered } = await ana.send('too late', { expiresInMs: 20 });
    await expired;
    expect(await delivered).toMatchObject({ expired: true });
    relay.restore();
    await (await ana.send('in time')).delivered;
    expect(received).toEqual(['in time']);
  });

  it.each([0, -1, Number.NaN, 4e10])('needs a time that can be kept: not %d', async (expiresInMs) => {
    const ana = await enter(new MemoryRelay(), {});
    await expect(ana.send('hi', { expiresInMs })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('a member that renames itself', () => {
  const seenAs = (at: Room, { me }: Room) => at.members.find(({ id }) => id === me.id)?.name;
  async function called(at: Room, who: Room, name: string): Promise<void> {
    while (seenAs(at, who) !== name) await at.once('members');
  }

  it('is called so by everyone who is here, and by who comes', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 4 });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await called(ana, bo, 'Bo');
    while (bo.state !== 'secure') await bo.once('state');
    await bo.rename('  Bo\u202e  Meyer\n');
    expect(bo.me.name).toBe('Bo Meyer');
    await called(ana, bo, 'Bo Meyer');
    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    await called(cy, bo, 'Bo Meyer');
  });

  it('is, after its page was opened again, who it was then', async () => {
    const relay = new MemoryRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const ana = await enter(relay, { name: 'Ana' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite, ...kept });
    await called(ana, bo, 'Bo');
    await bo.rename('Bo Meyer');
    await bo.suspend();
    const again = await enter(relay, { invite: ana.invite, ...kept });
    expect(again.me.name).toBe('Bo Meyer');
    await called(ana, again, 'Bo Meyer');
  });

  it('does not take the name of a member that somebody verified', async () => {
    const [ana, bo, cy] = (await gather(new MemoryRelay(), 'Ana', 'Bo', 'Cy')) as [Room, Room, Room];
    ana.members.find(({ id }) => id === bo.me.id)?.verify();
    await cy.rename('Bo');
    await said(cy, ana, 'it is me');
    expect([seenAs(ana, cy), seenAs(bo, cy)]).toEqual(['Cy', 'Bo']);
  });
});
