import { describe, expect, it, vi } from 'vitest';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { enter, member, until } from './rooms-in-fast-time.ts';
import type { Room } from './types.ts';

/** A relay that loses a removal on its way to one member, while those who followed it reload: nobody is left who would notice by itself. */

const together = (...rooms: Room[]) =>
  until(() => rooms.every(({ state, members }) => state === 'secure' && members.length === rooms.length - 1));

/** Ana made the room and keeps it; Bo is in it and Cy is removed. In this order they have their seats. */
async function removedUnheard(relay: HostileRelay) {
  const kept = { persist: 'device' as const, storage: memoryStorage() };
  const ana = await enter(relay, { name: 'Ana', capacity: 4, ...kept });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
  await together(ana, bo);
  const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
  await together(ana, bo, cy);
  const [old = ''] = relay.rooms;
  const [, boAt, cyAt] = relay.seatsOf(old);
  let lost = 0;
  relay.attack({
    tamper: (frame) => {
      if (frame.room !== old || (frame.to !== boAt && frame.to !== cyAt)) return [frame];
      lost++;
      return [];
    },
  });
  await ana.removeMember(member(ana, cy));
  const { code } = ana.invite;
  await ana.suspend();
  expect(lost).toBeGreaterThan(1);
  expect([bo.invite.generation, cy.state]).toEqual([0, 'secure']);
  relay.calm();
  return { ana: await enter(relay, { invite: code, ...kept }), bo, cy, code };
}

describe('a removal whose member has not heard of the one before', () => {
  it('is told to it all the same', async () => {
    const relay = new HostileRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 4 });
    const [bo, cy] = [
      await enter(relay, { name: 'Bo', invite: ana.invite }),
      await enter(relay, { name: 'Cy', invite: ana.invite }),
    ];
    await together(ana, bo, cy);
    const [, , cyAt] = relay.seatsOf(relay.rooms[0] as string);
    relay.attack({ tamper: (frame) => (frame.to === cyAt ? [] : [frame]) });
    await ana.removeMember(member(ana, bo));
    await ana.removeMember(member(ana, cy));
    expect(cy.state).toBe('secure');
    relay.calm();
    const told = cy.once('error');
    await until(() => cy.state === 'closed');
    expect(await told).toMatchObject({ code: 'REMOVED' });
  });
});

describe('a removal that only pages which were reloaded since have followed', () => {
  it('is told by them to the members that have not, who go along', async () => {
    const { ana, bo, code } = await removedUnheard(new HostileRelay());
    await until(() => bo.invite.code === code);
    await together(ana, bo);
    const { delivered } = await ana.send('here we are');
    await until(() => bo.history().some(({ text }) => text === 'here we are'));
    expect((await delivered).to).toEqual([bo.me.id]);
  });

  it('is told by them to the member that was removed', async () => {
    const { ana, cy } = await removedUnheard(new HostileRelay());
    const told = cy.once('error');
    await until(() => cy.state === 'closed');
    expect(await told).toMatchObject({ code: 'REMOVED' });
    expect(ana.members.map(({ id }) => id)).not.toContain(cy.me.id);
  });

  it('is kept no longer than members are waited for at the place that the room left', async () => {
    const relay = new HostileRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const ana = await enter(relay, { name: 'Ana', capacity: 3, ...kept });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await together(ana, bo);
    await ana.removeMember(member(ana, bo));
    await until(() => bo.state === 'closed');
    const { code } = ana.invite;
    await ana.suspend();
    vi.setSystemTime(Date.now() + 600_001);
    const before = relay.seen.length;
    await enter(relay, { invite: code, ...kept });
    const joins = relay.seen.slice(before).filter((each) => (each as { event?: string }).event === 'join');
    expect(joins).toHaveLength(1);
  });
});
