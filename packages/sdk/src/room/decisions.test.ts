import { describe, expect, it } from 'vitest';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { outerType } from '../testing/index.ts';
import { enter, member, until } from './rooms-in-fast-time.ts';
import type { Decided, Room } from './types.ts';

const sees = (room: Room, other: Room) => room.members.some(({ id, presence }) => id === other.me.id && presence === 'present');
const names = ({ confirmed, pending }: Decided) => ({
  confirmed: confirmed.map(({ name }) => name),
  pending: pending.map(({ name }) => name),
});

/** Ana, who made the room, Bo and Cy. In this order they have their seats. */
async function three() {
  const relay = new HostileRelay();
  const ana = await enter(relay, { name: 'Ana', capacity: 4 });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
  const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
  const rooms = [ana, bo, cy];
  await until(() => rooms.every((room) => rooms.every((other) => other === room || sees(room, other))));
  await until(() => rooms.every((room) => room.members.every(({ attested }) => attested)));
  return { relay, ana, bo, cy };
}

/** From now on nothing that Ana seals for Cy alone gets there. */
function cutOff(relay: HostileRelay): void {
  const seats = relay.seatsOf(relay.rooms[0] as string);
  relay.attack({
    tamper: (frame) => (outerType(frame.body) === 'pair' && frame.from === seats[0] && frame.to === seats[2] ? [] : [frame]),
  });
}

/** Lets time pass until it is decided. */
async function decided(deciding: Promise<Decided>): Promise<Decided> {
  let result: Decided | undefined;
  void deciding.then((value) => {
    result = value;
  });
  await until(() => result !== undefined);
  return result as Decided;
}

describe('a decision', () => {
  it('of every kind resolves with the members at whom it holds', async () => {
    const { ana, bo, cy } = await three();
    const all = { confirmed: ['Bo', 'Cy'], pending: [] };
    expect(names(await decided(ana.lock()))).toEqual(all);
    expect([bo.policy.locked, cy.policy.locked]).toEqual([true, true]);
    expect(names(await decided(ana.unlock()))).toEqual(all);
    expect([bo.policy.locked, cy.policy.locked]).toEqual([false, false]);
    expect(names(await decided(ana.delegate(member(ana, bo), ['remove'])))).toEqual(all);
    expect(cy.policy.delegates).toEqual([{ id: bo.me.id, rights: ['remove'] }]);
    expect(names(await decided(ana.revoke(bo.me.id)))).toEqual(all);
    expect(cy.policy.delegates).toEqual([]);
    expect(names(await decided(ana.removeMember(member(ana, cy))))).toEqual({ confirmed: ['Bo'], pending: [] });
    expect(bo.invite.code).toBe(ana.invite.code);
  });

  it('that a relay keeps from somebody who is here says so after ten seconds, and goes on to be told', async () => {
    const { relay, ana, cy } = await three();
    cutOff(relay);
    const since = Date.now();
    expect(names(await decided(ana.lock()))).toEqual({ confirmed: ['Bo'], pending: ['Cy'] });
    expect(Date.now() - since).toBeGreaterThanOrEqual(10_000);
    expect(Date.now() - since).toBeLessThan(15_000);
    expect(cy.policy.locked).toBe(false);
    relay.attack({});
    await until(() => cy.policy.locked);
  });

  it('does not wait for who is away, nor for who goes away for good', async () => {
    const { relay, ana, bo, cy } = await three();
    cutOff(relay);
    const since = Date.now();
    const deciding = ana.lock();
    await until(() => bo.policy.locked);
    await cy.leave();
    expect(names(await decided(deciding))).toEqual({ confirmed: ['Bo'], pending: ['Cy'] });
    await bo.suspend();
    await until(() => member(ana, bo).presence === 'away');
    expect(names(await decided(ana.unlock()))).toEqual({ confirmed: [], pending: ['Bo'] });
    expect(Date.now() - since).toBeLessThan(10_000);
  });

  it('of somebody alone is decided at once, and one in a room that is left does not wait', async () => {
    const relay = new HostileRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 4 });
    expect(await ana.lock()).toEqual({ confirmed: [], pending: [] });
    const others = await three();
    cutOff(others.relay);
    const deciding = others.ana.lock();
    await until(() => others.bo.policy.locked);
    await others.ana.suspend();
    expect(names(await deciding)).toEqual({ confirmed: ['Bo'], pending: ['Cy'] });
  });
});

describe('rights', () => {
  it('are taken back from a delegate who is not here any more, by id', async () => {
    const { ana, bo, cy } = await three();
    await decided(ana.delegate(member(ana, cy), ['approve', 'lock', 'remove']));
    await cy.leave();
    await until(() => !sees(ana, cy) && !sees(bo, cy));
    expect(ana.policy.delegates).toEqual([{ id: cy.me.id, rights: ['approve', 'lock', 'remove'] }]);
    await decided(ana.delegate(cy.me.id, ['approve']));
    expect(bo.policy.delegates).toEqual([{ id: cy.me.id, rights: ['approve'] }]);
    await decided(ana.revoke(cy.me.id));
    expect([ana, bo].map(({ policy }) => policy.delegates)).toEqual([[], []]);
  });

  it('end with a removal, at everyone and in the policy that newcomers get', async () => {
    const { relay, ana, bo, cy } = await three();
    await decided(ana.delegate(member(ana, bo), ['remove']));
    await decided(ana.delegate(member(ana, cy), ['approve', 'lock', 'remove']));
    await decided(cy.lock());
    await decided(bo.removeMember(member(bo, cy)));
    const rights = [{ id: bo.me.id, rights: ['remove'] }];
    await until(() => [ana, bo].every(({ policy }) => policy.delegates.length === 1));
    expect([ana, bo].map(({ policy }) => policy.delegates)).toEqual([rights, rights]);
    const di = await enter(relay, { name: 'Di', invite: ana.invite });
    await until(() => sees(di, ana) && sees(di, bo));
    expect(di.policy).toMatchObject({ delegates: rights, locked: true });
    // The lock that Cy gave holds for newcomers, too.
    expect(member(ana, di).waiting).toBe(true);
  });

  it.each<[string, (rooms: { ana: Room; bo: Room; cy: Room }) => Promise<unknown>, string, string | RegExp]>([
    ['of an unknown id', ({ ana }) => ana.revoke('0'.repeat(32)), 'PEER_GONE', 'This member is not here any more.'],
    ['of what is no id', ({ ana }) => ana.revoke('Bo'), 'INVALID_ARGUMENT', /"member" expected a member/],
    [
      'of no kind',
      ({ ana, bo }) => ana.delegate(member(ana, bo), ['rule' as never]),
      'INVALID_ARGUMENT',
      /"rights" expected some of/,
    ],
    [
      'by somebody else',
      ({ bo, cy }) => bo.delegate(member(bo, cy), ['lock']),
      'NO_ADMIN',
      'Only who made the room can give rights to others.',
    ],
    [
      'to remove, without any',
      ({ bo, cy }) => bo.removeMember(member(bo, cy)),
      'NO_ADMIN',
      'Only who made the room, or got the right from them, can remove a member.',
    ],
    [
      'to remove somebody who is not here',
      ({ ana, bo }) => ana.removeMember({ ...member(ana, bo), id: '0'.repeat(32) }),
      'PEER_GONE',
      'This member is not here any more.',
    ],
    [
      'to let in, without any',
      ({ bo, cy }) => bo.approve(member(bo, cy)),
      'NO_ADMIN',
      'Only who made the room, or got the right from them, can let somebody in.',
    ],
    [
      'to let in somebody who is not here',
      ({ ana, bo }) => ana.approve({ ...member(ana, bo), id: '0'.repeat(32) }),
      'PEER_GONE',
      'This member is not here any more.',
    ],
  ])('%s are refused with a reason', async (_, attempt, code, message) => {
    const rooms = await three();
    await expect(attempt(rooms)).rejects.toMatchObject({
      code,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  it('are handed over to nobody who is away', async () => {
    const { ana, bo } = await three();
    const heir = member(ana, bo);
    await bo.suspend();
    await until(() => heir.presence === 'away');
    await expect(ana.leave({ delegate: heir })).rejects.toMatchObject({
      code: 'PEER_GONE',
      message: '"Bo" is not here to take over.',
    });
    expect(ana.state).toBe('secure');
  });
});
