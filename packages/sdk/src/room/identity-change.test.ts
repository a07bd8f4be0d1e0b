import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { connect } from './connect.ts';
import type { Member, Room, RoomEvents } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions>): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

async function until(room: Room, holds: () => boolean): Promise<void> {
  const names = ['members', 'state', 'security', 'message', 'update'] as const;
  while (!holds()) await Promise.race(names.map((name) => room.once(name)));
}

const member = (room: Room, { me }: Room): Member | undefined => room.members.find(({ id }) => id === me.id);
const secure = (...rooms: Room[]) =>
  Promise.all(rooms.map((room) => until(room, () => room.state === 'secure' && room.members.length === rooms.length - 1)));
const texts = (room: Room) => room.history().map(({ text }) => text);

function securityEvents(room: Room): RoomEvents['security'][] {
  const events: RoomEvents['security'][] = [];
  room.on('security', (event) => events.push(event));
  return events;
}

/** Ana and Bo in a room for three; then Bo is gone and somebody else is called as he was. `verified`: whether Ana had compared numbers. */
async function changed({ verified = true, name = 'Bo' } = {}) {
  const relay = new MemoryRelay();
  const ana = await enter(relay, { name: 'Ana', capacity: 3 });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
  await secure(ana, bo);
  const old = member(ana, bo) as Member;
  if (verified) old.verify();
  await bo.leave();
  await until(ana, () => ana.members.length === 0);
  const events = securityEvents(ana);
  const other = await enter(relay, { name, invite: ana.invite });
  await until(ana, () => member(ana, other) !== undefined);
  return { relay, ana, old, other, events };
}

describe('a verified member who comes under another identity', () => {
  it('is told of, gets nothing, and is not heard, until the person goes on', async () => {
    const { ana, old, other, events } = await changed();
    const now = member(ana, other) as Member;
    expect(now).toMatchObject({ name: 'Bo', verified: false, changedFrom: { id: old.id, safetyNumber: old.safetyNumber } });
    expect(events).toContainEqual(expect.objectContaining({ kind: 'identity-changed', member: now, before: old }));
    await until(ana, () => ana.state === 'aborted');
    const refused = { code: 'IDENTITY_CHANGED', details: { member: now.id, before: old.id } };
    await expect(ana.send('for Bo alone')).rejects.toMatchObject(refused);
    await expect(ana.sendFile(new Blob(['for Bo alone']))).rejects.toMatchObject(refused);
    await until(other, () => other.state === 'secure');
    const said = await other.send('it is me');

    const heard = ana.once('message');
    now.accept();
    await secure(ana, other);
    expect((await heard).text).toBe('it is me');
    expect((await said.delivered).pending).toEqual([]);
    await (await ana.send('then hello')).delivered;
    expect([texts(ana), texts(other)]).toEqual([
      ['it is me', 'then hello'],
      ['it is me', 'then hello'],
    ]);
    expect(member(ana, other)).toMatchObject({ changedFrom: undefined, verified: false });
  });

  it.each(['b\u2060O', 'Во', 'B0'])('is asked about under a name that only looks the same (%j)', async (name) => {
    const { ana, old, other } = await changed({ name });
    expect(member(ana, other)?.changedFrom?.id).toBe(old.id);
    await expect(ana.send('for Bo alone')).rejects.toMatchObject({ code: 'IDENTITY_CHANGED' });
  });

  it('is gone on with by verifying it', async () => {
    const { ana, other } = await changed({ name: 'bo' });
    (member(ana, other) as Member).verify();
    await secure(ana, other);
    expect(member(ana, other)).toMatchObject({ changedFrom: undefined, verified: true });
    await (await ana.send('hello')).delivered;
  });

  it('holds the others up no longer than it is there', async () => {
    const { relay, ana, other } = await changed();
    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    await until(ana, () => ana.state === 'secure');
    await expect(ana.send('to whom?')).rejects.toMatchObject({ code: 'IDENTITY_CHANGED' });
    await cy.send('from Cy');
    await until(ana, () => texts(ana).includes('from Cy'));
    await other.leave();
    await until(ana, () => ana.members.length === 1);
    await (await ana.send('to Cy')).delivered;
    await until(cy, () => texts(cy).includes('to Cy'));
    expect(texts(other)).not.toContain('to Cy');
  });

  it('is asked about once: who was accepted and comes again is known', async () => {
    const { relay, ana, other } = await changed();
    (member(ana, other) as Member).accept();
    await secure(ana, other);
    relay.cut();
    relay.restore();
    await secure(ana, other);
    await (await ana.send('still')).delivered;
    expect(ana.members.map(({ changedFrom }) => changedFrom)).toEqual([undefined]);
  });
});

describe('somebody under the name of a verified member who is not let in', () => {
  /** Ana and Cy in a room where newcomers are let in one by one; Ana verified Bo, who is gone. */
  async function asking() {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 4, join: 'approve' });
    const letIn = async (name: string) => {
      const room = await enter(relay, { name, invite: ana.invite });
      await until(ana, () => member(ana, room) !== undefined);
      await ana.approve(member(ana, room) as Member);
      await until(room, () => room.state === 'secure');
      return room;
    };
    const bo = await letIn('Bo');
    const cy = await letIn('Cy');
    const old = member(ana, bo) as Member;
    old.verify();
    await bo.leave();
    await Promise.all([ana, cy].map((room) => until(room, () => room.members.length === 1)));
    const events = securityEvents(ana);
    const other = await enter(relay, { name: 'Bo', invite: ana.invite });
    await Promise.all([ana, cy].map((room) => until(room, () => member(room, other) !== undefined)));
    return { ana, cy, old, other, events };
  }
  const kinds = (events: RoomEvents['security'][]) => events.map(({ kind }) => kind);

  it('holds nothing up', async () => {
    const { ana, cy, old, other, events } = await asking();
    expect(member(ana, other)).toMatchObject({ waiting: true, changedFrom: { id: old.id } });
    expect(ana.state).toBe('secure');
    await (await ana.send('to Cy')).delivered;
    expect(texts(cy)).toEqual(['to Cy']);
    expect(kinds(events)).not.toContain('identity-changed');
  });

  it('is not let in before the person decided who it is, and vouched for to nobody', async () => {
    const { ana, cy, old, other } = await asking();
    const now = member(ana, other) as Member;
    const refused = {
      code: 'IDENTITY_CHANGED',
      message: expect.stringContaining('"Bo"'),
      details: { member: now.id, before: old.id },
    };
    await expect(ana.approve(now)).rejects.toMatchObject(refused);
    await (await ana.send('to Cy')).delivered;
    expect(other.state).not.toBe('secure');
    expect(member(cy, other)?.attested).toBe(false);

    now.accept();
    await ana.approve(now);
    await secure(ana, cy, other);
    await (await ana.send('to all')).delivered;
    expect(texts(other)).toEqual(['to all']);
  });

  it('holds the conversation up once somebody else lets it in, and is told of then', async () => {
    const { ana, cy, old, other, events } = await asking();
    await ana.delegate(member(ana, cy) as Member, ['approve']);
    await until(cy, () => cy.policy.delegates.length === 1);
    await cy.approve(member(cy, other) as Member);
    await until(ana, () => member(ana, other)?.waiting === false);
    await expect(ana.send('to whom?')).rejects.toMatchObject({ code: 'IDENTITY_CHANGED' });
    expect(events.filter(({ kind }) => kind === 'identity-changed')).toMatchObject([{ before: { id: old.id } }]);
    await (await cy.send('welcome')).delivered;
    await until(other, () => texts(other).includes('welcome'));
  });
});

describe('a name', () => {
  it('of somebody nobody verified is anybody’s', async () => {
    const { ana, other } = await changed({ verified: false });
    await secure(ana, other);
    await (await ana.send('hello')).delivered;
  });

  it('that is none leads to nobody', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { capacity: 3 });
    const [bo, cy] = [await enter(relay, { invite: ana.invite }), await enter(relay, { invite: ana.invite })];
    await secure(ana, bo, cy);
    for (const one of ana.members) one.verify();
    await bo.leave();
    await until(ana, () => ana.members.length === 1);
    const di = await enter(relay, { invite: ana.invite });
    await secure(ana, cy, di);
    expect(ana.members.map(({ changedFrom }) => changedFrom)).toEqual([undefined, undefined]);
  });
});

/** Ana keeps the room, in which Bo was. She is back, and he is not. */
async function revisited({ verified }: { verified: boolean }) {
  const relay = new MemoryRelay();
  const kept = { persist: 'device' as const, storage: memoryStorage() };
  const ana = await enter(relay, { name: 'Ana', capacity: 3, ...kept });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
  await secure(ana, bo);
  if (verified) member(ana, bo)?.verify();
  await ana.suspend();
  await bo.leave();
  return { relay, kept, ana, bo, again: await enter(relay, { invite: ana.invite, ...kept }) };
}

describe('a member known from an earlier visit', () => {
  it('whom nobody verified holds nobody up who has the same name: that it is another identity is told, once for each', async () => {
    const { relay, kept, ana, bo, again } = await revisited({ verified: false });
    const events = securityEvents(again);
    const other = await enter(relay, { name: 'Bo', invite: ana.invite });
    await secure(again, other);
    const now = member(again, other) as Member;
    expect(now).toMatchObject({ name: 'Bo', changedFrom: undefined, verified: false });
    const told = events.filter(({ kind }) => kind === 'known-name');
    expect(told).toMatchObject([{ member: now, before: { id: bo.me.id, safetyNumber: expect.any(String) } }]);
    await (await again.send('hello')).delivered;

    // Who keeps nothing and reloads is another one each time; who stays is known.
    await again.suspend();
    const third = await enter(relay, { invite: ana.invite, ...kept });
    const since = securityEvents(third);
    await secure(third, other);
    relay.cut();
    relay.restore();
    await (await third.send('still')).delivered;
    expect(since.filter(({ kind }) => kind === 'known-name')).toEqual([]);
    await other.leave();
    const reloaded = await enter(relay, { name: 'Bo', invite: ana.invite });
    await secure(third, reloaded);
    expect(since.filter(({ kind }) => kind === 'known-name')).toMatchObject([{ before: { id: other.me.id } }]);
    await (await third.send('hello again')).delivered;
  });

  it('and verified is expected under the identity it had', async () => {
    const { relay, kept, ana, bo, again } = await revisited({ verified: true });
    const other = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(again, () => again.state === 'aborted');
    expect(member(again, other)?.changedFrom?.id).toBe(bo.me.id);
    await expect(again.send('who is it?')).rejects.toMatchObject({ code: 'IDENTITY_CHANGED' });

    // What was decided holds after the next visit, and what was not is asked again.
    await again.suspend();
    const third = await enter(relay, { invite: ana.invite, ...kept });
    await until(third, () => third.state === 'aborted');
    member(third, other)?.accept();
    await secure(third, other);
    await third.suspend();
    const fourth = await enter(relay, { invite: ana.invite, ...kept });
    await secure(fourth, other);
    expect(member(fourth, other)?.changedFrom).toBeUndefined();
  });
});
