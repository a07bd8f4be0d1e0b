import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { MAX_CAPACITY } from '../wire/index.ts';
import { connect } from './connect.ts';
import type { Member, Room, RoomState } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions> = {}): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

async function until(room: Room, holds: () => boolean): Promise<void> {
  while (!holds()) await Promise.race([room.once('members'), room.once('state')]);
}

async function reach(room: Room, state: RoomState): Promise<void> {
  while (room.state !== state) await room.once('state');
}

const everyoneSees = (rooms: Room[]) =>
  Promise.all(rooms.map((room) => until(room, () => room.members.length === rooms.length - 1)));

async function gather(names: string[]): Promise<Room[]> {
  const relay = new MemoryRelay();
  const [first, ...rest] = names;
  const creator = await enter(relay, { name: first as string, capacity: names.length });
  const others = await Promise.all(rest.map((name) => enter(relay, { name, invite: creator.invite })));
  const rooms = [creator, ...others];
  await everyoneSees(rooms);
  return rooms;
}

describe('a group', () => {
  it('of five who join at once writes to everyone', async () => {
    const rooms = await gather(['Ana', 'Bo', 'Cy', 'Di', 'Ed']);
    for (const sender of rooms) {
      const others = rooms.filter((room) => room !== sender);
      const received = Promise.all(others.map((room) => room.once('message')));
      const sent = await sender.send(`from ${sender.me.name}`);
      for (const message of await received) expect(message.text).toBe(`from ${sender.me.name}`);
      expect([...(await sent.delivered).to].sort()).toEqual(others.map(({ me }) => me.id).sort());
    }
  });

  it('in the largest room there is takes its members in', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: MAX_CAPACITY });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await everyoneSees([ana, bo]);
    const atBo = bo.once('message');
    await ana.send('hello Bo');
    expect((await atBo).text).toBe('hello Bo');
  });

  it('goes on without who left', async () => {
    const [ana, bo, cy] = (await gather(['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    await cy.leave();
    await Promise.all([ana, bo].map((room) => until(room, () => room.members.length === 1)));
    const atBo = bo.once('message');
    const sent = await ana.send('two of us');
    expect((await atBo).text).toBe('two of us');
    expect((await sent.delivered).to).toEqual([bo.me.id]);
  });
});

describe('a room that admits by hand', () => {
  it('shows who waits, shares nothing before, and everything after', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 3, join: 'approve' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(ana, () => ana.members.length === 1);
    await ana.approve(ana.members[0] as Member);
    await reach(bo, 'secure');

    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    await until(ana, () => ana.members.length === 2);
    await until(bo, () => bo.members.length === 2);
    expect(cy.state).not.toBe('secure');
    expect(bo.members.find(({ id }) => id === cy.me.id)?.attested).toBe(false);
    expect((await (await bo.send('not for Cy')).delivered).to).toEqual([ana.me.id]);

    await ana.approve(ana.members.find(({ id }) => id === cy.me.id) as Member);
    await reach(cy, 'secure');
    await until(bo, () => bo.members.every(({ attested }) => attested));
    const atCy = cy.once('message');
    const sent = await bo.send('for everyone');
    expect((await atCy).text).toBe('for everyone');
    expect((await sent.delivered).to).toHaveLength(2);
    expect(cy.history().map(({ text }) => text)).toEqual(['for everyone']);
  });

  it('shows what a newcomer said while they waited once they are let in, to everyone, and shows it once', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 3, join: 'approve' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(ana, () => ana.members.length === 1);
    await ana.approve(ana.members[0] as Member);
    await reach(bo, 'secure');
    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    await Promise.all([ana, bo, cy].map((room) => until(room, () => room.members.length === 2)));
    await until(cy, () => cy.members.every(({ attested }) => attested));
    const sent = await cy.send('may I come in?');
    await cy.rename('Cyd');
    await (await bo.send('not yet')).delivered;
    expect([...ana.history(), ...bo.history()].map(({ text }) => text)).toEqual(['not yet', 'not yet']);

    const shown = [ana, bo].map((room) => room.once('message'));
    await ana.approve(ana.members.find(({ id }) => id === cy.me.id) as Member);
    for (const message of await Promise.all(shown))
      expect(message).toMatchObject({ text: 'may I come in?', from: { name: 'Cyd' } });
    expect([...(await sent.delivered).to].sort()).toEqual([ana.me.id, bo.me.id].sort());
    expect(ana.history().filter(({ from }) => from !== 'me')).toHaveLength(2);
  });

  it('never shows what somebody said who is turned away', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 3, join: 'approve' });
    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    await Promise.all([ana, cy].map((room) => until(room, () => room.members.length === 1)));
    const sent = await cy.send('may I come in?');
    const [waiting] = ana.members;
    expect(waiting).toMatchObject({ name: 'Cy', waiting: true });
    const told = cy.once('error');
    await ana.removeMember(waiting as Member);
    expect(await told).toMatchObject({ code: 'REMOVED' });
    expect((await sent.delivered).pending).toEqual([ana.me.id]);
    expect(ana.history()).toEqual([]);
  });

  it('is ruled by its creator alone', async () => {
    const [, bo] = (await gather(['Ana', 'Bo'])) as [Room, Room];
    await expect(bo.lock()).rejects.toMatchObject({ code: 'NO_ADMIN' });
    await expect(bo.approve(bo.members[0] as Member)).rejects.toMatchObject({ code: 'NO_ADMIN' });
  });

  it('keeps newcomers out while it is locked', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { capacity: 3 });
    const bo = await enter(relay, { invite: ana.invite });
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
    const told = bo.once('security');
    await ana.lock();
    expect(await told).toMatchObject({ kind: 'policy' });
    expect([ana.policy.locked, bo.policy.locked]).toEqual([true, true]);
    const cy = await enter(relay, { invite: ana.invite });
    await until(ana, () => ana.members.length === 2);
    expect((await (await ana.send('only Bo')).delivered).to).toEqual([bo.me.id]);
    expect(cy.state).not.toBe('secure');
  });
});

describe('a delegate', () => {
  it('lets in, locks and opens while the creator is not there, as far as its rights go', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 4, join: 'approve' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(ana, () => ana.members.length === 1);
    await ana.approve(ana.members[0] as Member);
    await reach(bo, 'secure');
    await ana.delegate(ana.members[0] as Member, ['approve', 'lock']);
    while (bo.policy.delegates.length === 0) await bo.once('security');
    expect(bo.policy.delegates).toEqual([{ id: bo.me.id, rights: ['approve', 'lock'] }]);
    await ana.leave();

    const cy = await enter(relay, { name: 'Cy', invite: bo.invite });
    await until(bo, () => bo.members.some(({ id }) => id === cy.me.id));
    expect(cy.state).not.toBe('secure');
    await bo.approve(bo.members.find(({ id }) => id === cy.me.id) as Member);
    await reach(cy, 'secure');
    await (await cy.send('hello')).delivered;
    await bo.lock();
    while (!cy.policy.locked) await cy.once('security');
    await expect(bo.removeMember(bo.members[0] as Member)).rejects.toMatchObject({ code: 'NO_ADMIN' });
    await expect(cy.unlock()).rejects.toMatchObject({ code: 'NO_ADMIN' });
  });

  it('whose rights are taken back can decide no more, and what it decided goes on to hold', async () => {
    const [ana, bo, cy] = (await gather(['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    const delegate = ana.members.find(({ id }) => id === bo.me.id) as Member;
    await ana.delegate(delegate, ['lock']);
    while (bo.policy.delegates.length === 0) await bo.once('security');
    await bo.lock();
    while (!ana.policy.locked) await ana.once('security');
    await ana.delegate(delegate, []);
    while (bo.policy.delegates.length > 0) await bo.once('security');
    await expect(bo.unlock()).rejects.toMatchObject({ code: 'NO_ADMIN' });
    while (cy.policy.delegates.length > 0) await cy.once('security');
    expect([ana, bo, cy].map(({ policy }) => policy.locked)).toEqual([true, true, true]);
    await expect(ana.delegate(delegate, ['rule' as never])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
