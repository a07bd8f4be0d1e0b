import { describe, expect, it, vi } from 'vitest';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { outerType } from '../testing/index.ts';
import { enter, member, until } from './rooms-in-fast-time.ts';
import type { Room } from './types.ts';

async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (let turn = 0; turn < 12; turn++) await crypto.subtle.digest('SHA-256', new Uint8Array(1));
  }
}

const sees = (room: Room, { me }: Room) => room.members.some(({ id }) => id === me.id);

/** From now on the relay loses the next `count` frames from one member to another alone. Returns how many such frames came by. */
function lose(relay: HostileRelay, from: number, to: number, count: number): () => number {
  const seats = relay.seatsOf(relay.rooms[0] as string);
  let seen = 0;
  relay.attack({
    tamper: (frame) => {
      if (outerType(frame.body) !== 'pair' || frame.from !== seats[from] || frame.to !== seats[to]) return [frame];
      seen++;
      return seen <= count ? [] : [frame];
    },
  });
  return () => seen;
}

/** Ana made the room and let Bo in; Cy waits. In this order they have their seats. */
async function waiting() {
  const relay = new HostileRelay();
  const ana = await enter(relay, { name: 'Ana', capacity: 4, join: 'approve' });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
  await until(() => sees(ana, bo));
  await ana.approve(member(ana, bo));
  await until(() => bo.state === 'secure');
  const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
  await until(() => sees(ana, cy) && sees(bo, cy) && cy.state === 'waiting');
  expect([member(ana, cy).waiting, member(bo, cy).waiting]).toEqual([true, true]);
  return { relay, ana, bo, cy };
}

describe('an order that a relay loses', () => {
  it('of letting in comes again', async () => {
    const { relay, ana, cy } = await waiting();
    lose(relay, 0, 2, 1);
    await ana.approve(member(ana, cy));
    await until(() => cy.state === 'secure');
    await (await cy.send('here')).delivered;
  });

  it('and that a newcomer shows to the others comes as often as it is lost', async () => {
    const { relay, ana, bo, cy } = await waiting();
    lose(relay, 2, 1, 2);
    await ana.approve(member(ana, cy));
    await until(() => !member(bo, cy).waiting);
    expect(member(bo, cy).attested).toBe(true);
  });

  it('of a delegate whom a member has not heard of holds once it has', async () => {
    const { relay, ana, bo, cy } = await waiting();
    await ana.approve(member(ana, cy));
    await until(() => !member(bo, cy).waiting);
    lose(relay, 0, 2, 3);
    await ana.delegate(member(ana, bo), ['approve', 'lock']);
    await until(() => bo.policy.delegates.length === 1);
    await bo.lock();
    const di = await enter(relay, { name: 'Di', invite: ana.invite });
    await until(() => sees(bo, di) && sees(cy, di));
    await bo.approve(member(bo, di));
    await until(() => cy.policy.delegates.length === 1 && cy.policy.locked && member(cy, di).attested && di.state === 'secure');
  });

  it('is sent no more once it was confirmed, and confirmed again when that was lost', async () => {
    const { relay, ana, bo } = await waiting();
    const confirmations = lose(relay, 1, 0, 1);
    await ana.lock();
    await until(() => confirmations() === 2);
    expect(bo.policy.locked).toBe(true);
    // Heartbeats have said by then that everything else has arrived, too.
    await pass(60);
    const orders = lose(relay, 0, 1, 0);
    await pass(200);
    expect(orders()).toBe(0);
  });
});

/** Holds back what a newcomer says to the member in seat `to`, after its first message, until the function that is returned is called. */
function holdNewcomer(relay: HostileRelay, to: number): () => void {
  const seats = relay.seatsOf(relay.rooms[0] as string).slice();
  const held: Parameters<HostileRelay['deliver']>[0][] = [];
  let begun = false;
  relay.attack({
    tamper: (frame) => {
      if (outerType(frame.body) !== 'handshake' || frame.to !== seats[to] || seats.includes(frame.from)) return [frame];
      if (!begun) {
        begun = true;
        return [frame];
      }
      held.push(frame);
      return [];
    },
  });
  return () => {
    relay.attack({});
    for (const frame of held) relay.deliver(frame);
  };
}

describe('what is decided while somebody shakes hands', () => {
  it('is shown to whom a newcomer meets after it was let in', async () => {
    const relay = new HostileRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 4, join: 'approve' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(() => sees(ana, bo));
    await ana.approve(member(ana, bo));
    await until(() => bo.state === 'secure');
    const release = holdNewcomer(relay, 1);
    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    await until(() => sees(ana, cy));
    await ana.approve(member(ana, cy));
    await until(() => cy.state === 'secure' && !member(ana, cy).waiting);
    expect(sees(bo, cy)).toBe(false);
    release();
    await until(() => sees(bo, cy) && member(bo, cy).attested && !member(bo, cy).waiting);
    await (await bo.send('now you are here')).delivered;
    expect(cy.history().map(({ text }) => text)).toContain('now you are here');
  });

  it('reaches the newcomer', async () => {
    const relay = new HostileRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 4 });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(() => sees(ana, bo) && bo.state === 'secure');
    const release = holdNewcomer(relay, 0);
    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    await until(() => sees(bo, cy));
    await ana.delegate(member(ana, bo), ['approve']);
    await ana.lock();
    release();
    await until(() => cy.policy.locked && cy.policy.delegates.length === 1);
  });
});

describe('a creator who leaves', () => {
  it('is told before that nobody would decide any more, and after the room was handed over that somebody does', async () => {
    const { relay, ana, bo, cy } = await waiting();
    expect([ana.needsDelegate, bo.needsDelegate]).toEqual([true, false]);
    await ana.leave({ delegate: member(ana, bo) });
    expect(ana.state).toBe('closed');
    await until(() => !sees(bo, ana) && !sees(cy, ana));
    await bo.approve(member(bo, cy));
    await until(() => cy.state === 'secure');
    const di = await enter(relay, { name: 'Di', invite: bo.invite });
    await until(() => sees(bo, di) && sees(cy, di));
    await bo.approve(member(bo, di));
    await until(() => member(cy, di).attested && di.state === 'secure');
  });

  it('has told everyone who decides from then on, also those whom a relay kept from hearing it from the creator', async () => {
    const { relay, ana, bo, cy } = await waiting();
    await ana.approve(member(ana, cy));
    await until(() => !member(bo, cy).waiting);
    lose(relay, 0, 2, Number.POSITIVE_INFINITY);
    await ana.leave({ delegate: member(ana, bo) });
    await until(() => cy.policy.delegates.length === 1);
    await bo.lock();
    await until(() => cy.policy.locked);
  });

  it('stays when the member that is to decide does not confirm it', async () => {
    const { relay, ana, bo } = await waiting();
    lose(relay, 0, 1, Number.POSITIVE_INFINITY);
    let refused: unknown;
    const left = ana.leave({ delegate: member(ana, bo) }).catch((error: unknown) => {
      refused = error;
    });
    await until(() => refused !== undefined);
    await left;
    expect(refused).toMatchObject({ code: 'TIMEOUT' });
    expect(ana.state).toBe('secure');
    expect(sees(bo, ana)).toBe(true);
  });

  it('is refused a delegate who is not here, or that it may not name', async () => {
    const { relay, ana, bo, cy } = await waiting();
    await expect(ana.leave({ delegate: member(ana, cy) })).rejects.toMatchObject({ code: 'PEER_GONE' });
    await expect(bo.leave({ delegate: member(bo, cy) })).rejects.toMatchObject({ code: 'PEER_GONE' });
    await ana.approve(member(ana, cy));
    await until(() => !member(bo, cy).waiting);
    await expect(bo.leave({ delegate: member(bo, cy) })).rejects.toMatchObject({ code: 'NO_ADMIN' });
    relay.cut();
    await until(() => ana.state === 'reconnecting');
    relay.restore();
    await until(() => ana.state === 'secure');
    expect([ana, bo, cy].map(({ state }) => state)).toEqual(['secure', 'secure', 'secure']);
  });

  it('logs a warning when it leaves without, and none where nobody else could come', async () => {
    const relay = new HostileRelay();
    const lines: string[] = [];
    const logger = (level: string, line: string) => level === 'warn' && lines.push(line);
    for (const capacity of [3, 2]) {
      const ana = await enter(relay, { name: 'Ana', capacity, logger });
      const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
      await until(() => sees(ana, bo) && ana.state === 'secure');
      expect(ana.needsDelegate).toBe(capacity > 2);
      await ana.leave();
      expect(lines).toEqual(['left without a delegate: nobody can decide about the room any more']);
    }
  });
});

describe('a room in which nobody may let in', () => {
  it('says so to its members and to who waits', async () => {
    const { ana, bo, cy } = await waiting();
    const [atBo, atCy]: [string[], string[]] = [[], []];
    bo.on('security', ({ kind }) => atBo.push(kind));
    cy.on('error', ({ code }) => atCy.push(code));
    await ana.leave();
    await until(() => atBo.includes('no-admin') && atCy.length > 0);
    expect(atCy).toEqual(['NO_ADMIN']);
    expect([bo.state, cy.state]).toEqual(['waiting', 'waiting']);
  });

  it('says so to a newcomer who comes then', async () => {
    const { relay, ana, bo, cy } = await waiting();
    await ana.delegate(member(ana, bo), ['approve']);
    await until(() => cy.policy.delegates.length === 1);
    await ana.leave();
    await until(() => !sees(bo, ana));
    expect(bo.policy.delegates).toHaveLength(1);
    await bo.leave();
    await until(() => cy.members.length === 0);
    const di = await enter(relay, { name: 'Di', invite: ana.invite });
    const errors: string[] = [];
    di.on('error', ({ code }) => errors.push(code));
    await until(() => errors.length > 0);
    expect(errors).toEqual(['NO_ADMIN']);
  });
});
