import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { connect } from './connect.ts';
import type { Room } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions> = {}): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

async function gather(count: number): Promise<Room[]> {
  const relay = new MemoryRelay();
  const creator = await enter(relay, { name: 'Ana', capacity: count });
  const rooms = [creator];
  for (const name of ['Bo', 'Cy'].slice(0, count - 1)) rooms.push(await enter(relay, { name, invite: creator.invite }));
  for (const room of rooms) {
    while (room.members.length < count - 1 || room.state !== 'secure')
      await Promise.race([room.once('members'), room.once('state')]);
  }
  return rooms;
}

describe('rekeying a room', () => {
  it.each([2, 3])('of %i by any member: new agreements, new epochs, and everyone still understands everyone', async (count) => {
    const rooms = await gather(count);
    for (const room of rooms) {
      const before = { epoch: room.security.epoch, reports: room.members.map(({ report }) => report) };
      await room.rekey();
      expect(room.security.epoch).toBeGreaterThan(before.epoch);
      room.members.forEach(({ report }, i) => {
        expect(report?.finalBits).toBe(256);
        expect(report).not.toBe(before.reports[i]);
      });
    }
    for (const sender of rooms) {
      const received = Promise.all(rooms.filter((room) => room !== sender).map((room) => room.once('message')));
      const { delivered } = await sender.send(`after, from ${sender.me.name}`);
      for (const { text } of await received) expect(text).toBe(`after, from ${sender.me.name}`);
      expect((await delivered).pending).toEqual([]);
    }
  });

  it('happens by itself after 50 messages, and loses none', async () => {
    const [ana, bo] = (await gather(2)) as [Room, Room];
    const received: (string | undefined)[] = [];
    bo.on('message', ({ text }) => received.push(text));
    const rekeyed = new Promise<void>((resolve) => {
      bo.on('security', ({ kind }) => kind === 'rekeyed' && resolve());
    });
    const texts = Array.from({ length: 120 }, (_, i) => `message ${i}`);
    const sent = await Promise.all(texts.map((text) => ana.send(text)));
    await Promise.all(sent.map(({ delivered }) => delivered));
    await rekeyed;
    expect(received).toEqual(texts);
  });

  it('in the middle of talk from both sides loses and repeats nothing', async () => {
    const [ana, bo] = (await gather(2)) as [Room, Room];
    const heard: string[] = [];
    ana.on('message', ({ text }) => heard.push(`ana ${text}`));
    bo.on('message', ({ text }) => heard.push(`bo ${text}`));
    const talk = async (room: Room) => {
      const sent = [];
      for (let i = 0; i < 30; i++) sent.push(await room.send(String(i)));
      await Promise.all(sent.map(({ delivered }) => delivered));
    };
    await Promise.all([talk(ana), talk(bo), ana.rekey(), bo.rekey()]);
    expect(heard.filter((line) => line.startsWith('ana')).map((line) => line.slice(4))).toEqual(
      Array.from({ length: 30 }, (_, i) => String(i)),
    );
    expect(heard.filter((line) => line.startsWith('bo')).map((line) => line.slice(3))).toEqual(
      Array.from({ length: 30 }, (_, i) => String(i)),
    );
  });
});
