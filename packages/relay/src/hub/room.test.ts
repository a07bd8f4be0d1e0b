import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Frame, place } from '../frames/item.ts';
import { Metrics } from '../metrics.ts';
import type { Page, Seat, Store } from '../store/store.ts';
import { random16 } from '../testing/client.ts';
import { frameOf, RecordedLink } from '../testing/recorded-link.ts';
import { Member } from './member.ts';
import { HubRoom } from './room.ts';

const MIB = 2 ** 20;

/** A room with members, over a store that has the frames and the seats it is given. */
function room() {
  const log: Frame[] = [];
  const seats: Seat[] = [];
  const told = { ready: vi.fn(), superseded: vi.fn(), takenForDead: vi.fn(), ended: vi.fn(), report: vi.fn() };
  const failure: { error: Error | undefined; asked: number } = { error: undefined, asked: 0 };
  const store = {
    async read(_: string, after: number): Promise<Page> {
      return { frames: log.filter(({ seq }) => seq > after).slice(0, 4), floor: 0, head: log.length };
    },
    async seats() {
      failure.asked++;
      if (failure.error) throw failure.error;
      return seats.map((seat) => ({ ...seat }));
    },
  } as unknown as Store;
  const metrics = new Metrics();
  const made = new HubRoom('key', store, metrics, told);
  const join = async (seat = random16()) => {
    const link = new RecordedLink();
    const member = new Member(link, made, seat, made.delivered, 'e', store);
    made.members.add(member);
    seats.push({ seat, presence: 'present', holder: link.id });
    made.learn([{ seat, presence: 'present' }]);
    await member.start();
    return { link, member, seat };
  };
  /** Commits frames and tells the room of them. */
  const commit = (...added: Frame[]) => {
    for (const frame of added) {
      place(frame, log.length + 1);
      log.push(frame);
    }
    made.frames(added);
  };
  return { room: made, join, commit, log, seats, told, metrics, failure };
}

let running: ReturnType<typeof room>;
beforeEach(() => {
  running = room();
});

const frame = (bytes = 10) => frameOf(0, { body: Buffer.alloc(bytes) });

describe('what was committed', () => {
  it('waits for its turn, and is sent to everyone in one encoding', async () => {
    const { room, join, commit, told } = running;
    const [ana, bo] = [await join(), await join()];
    commit(frame(), frame());
    commit(frame());
    expect(told.ready).toHaveBeenCalledTimes(2);
    expect(told.ready).toHaveBeenCalledWith(room);
    expect(ana.link.batches).toEqual([]);
    room.deliver();
    expect(ana.link.batches).toMatchObject([{ from: 1, to: 3 }]);
    expect(ana.link.seqs).toEqual([1, 2, 3]);
    expect(bo.link.encoded[0]).toBe(ana.link.encoded[0]);
    expect([ana.member.cursor, room.delivered, room.lowestCursor()]).toEqual([3, 3, 3]);
    room.deliver();
    expect(ana.link.batches).toHaveLength(1);
  });

  it('does not change with what the store does to its list afterwards', async () => {
    const { room, join, commit } = running;
    const { link } = await join();
    const list = [frame()];
    commit(...list);
    const second = [frame()];
    place(second[0]!, 2);
    room.frames(second);
    second.length = 0;
    room.deliver();
    expect(link.seqs).toEqual([1, 2]);
  });

  it('for one member goes to that member, and takes its place for all', async () => {
    const { room, join, commit } = running;
    const [ana, bo] = [await join(), await join()];
    commit(frameOf(0, { to: [Buffer.from(bo.seat, 'base64url')] }), frame());
    room.deliver();
    expect([ana.link.seqs, bo.link.seqs]).toEqual([[2], [1, 2]]);
    expect([ana.member.cursor, bo.member.cursor]).toEqual([2, 2]);
    expect(ana.link.batches).toMatchObject([{ from: 1, to: 2 }]);
  });

  it('reaches a member who is further than the others only in what it lacks', async () => {
    const { room, join, commit } = running;
    const [ana, bo] = [await join(), await join()];
    commit(frame(), frame());
    bo.member.cursor = 1;
    room.deliver();
    expect([ana.link.seqs, bo.link.seqs]).toEqual([[1, 2], [2]]);
    expect(bo.link.batches).toMatchObject([{ from: 2, to: 2 }]);
    bo.member.cursor = 9;
    commit(frame());
    room.deliver();
    expect(bo.member.cursor).toBe(9);
    expect(bo.link.seqs).toEqual([2]);
  });

  it('is counted for members who are behind, with its bytes', async () => {
    const { room, join, commit } = running;
    const { link, member } = await join();
    link.pending = 2 * MIB;
    commit(frame(), frame(1000));
    room.deliver();
    expect(member.live).toBe(false);
    commit(frame(500), frame(700));
    room.deliver();
    expect(member.behindBytes).toBe(500 + 700 + 2 * 49);
    expect(link.seqs).toEqual([1, 2]);
  });

  it('after a hole is preceded by a gap, and what came before the hole', async () => {
    const { room, join, commit, log } = running;
    const { link } = await join();
    commit(frame());
    const later = frame();
    place(later, 5);
    room.frames([later]);
    expect(link.seqs).toEqual([1]);
    expect(link.gaps).toEqual([{ from: 2, to: 4 }]);
    room.deliver();
    expect(link.seqs).toEqual([1, 5]);
    expect(log).toHaveLength(1);
    const next = frame();
    place(next, 6);
    room.frames([next]);
    expect(link.gaps).toHaveLength(1);
  });

  it('after a hole is no gap for a member who is behind: the log tells it', async () => {
    const { room, join } = running;
    const { link, member } = await join();
    link.pending = 2 * MIB;
    member.deliver({ bytes: 1, plain: Buffer.alloc(14) } as never, 0);
    const later = frame();
    place(later, 3);
    room.frames([later]);
    expect([member.live, link.gaps]).toEqual([false, []]);
  });
});

describe('what is transient', () => {
  it('goes to members who are there, beside what has a place or alone', async () => {
    const { room, join, commit, told } = running;
    const [ana, bo] = [await join(), await join()];
    room.transient([frameOf(0, { transient: true })]);
    expect(told.ready).toHaveBeenCalledExactlyOnceWith(room);
    room.deliver();
    expect(ana.link.batches).toMatchObject([{ from: 1, to: 0 }]);
    expect(ana.link.batches[0]!.deliveries).toHaveLength(1);
    commit(frame());
    room.transient([frameOf(0, { transient: true }), frameOf(0, { transient: true, to: [Buffer.from(bo.seat, 'base64url')] })]);
    room.deliver();
    expect(ana.link.batches[1]!.deliveries).toHaveLength(2);
    expect(bo.link.batches[1]!.deliveries).toHaveLength(3);
    expect(room.delivered).toBe(1);
    expect(bo.link.batches[1]).toMatchObject({ from: 1, to: 1 });
  });
});

describe('the lowest place', () => {
  it('is that of the member furthest behind, and without members there is none', async () => {
    const { room, join } = running;
    expect(room.lowestCursor()).toBe(Number.POSITIVE_INFINITY);
    const [ana, bo] = [await join(), await join()];
    ana.member.cursor = 7;
    bo.member.cursor = 3;
    expect(room.lowestCursor()).toBe(3);
  });
});

describe('those who send', () => {
  /** A member who is so many bytes behind. */
  async function behind(bytes: number) {
    const { join } = running;
    const slow = await join();
    slow.link.pending = 2 * MIB;
    slow.member.deliver({ bytes: 1, plain: Buffer.alloc(14) } as never, 0);
    slow.member.missed(bytes);
    return slow;
  }

  it('are asked to wait while a member is 4 MiB behind, twice a second at most', async () => {
    const { room, join, metrics } = running;
    const ana = await join();
    const slow = await behind(4 * MIB - 1);
    const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
    room.pushed(ana.member);
    expect(ana.link.events).toEqual([]);
    slow.member.missed(1);
    room.pushed(ana.member);
    expect(ana.link.of('slow')).toEqual([{ pauseMs: 500 }]);
    expect(slow.link.of('slow')).toHaveLength(1);
    now.mockReturnValue(1499);
    room.pushed(ana.member);
    expect(ana.link.of('slow')).toHaveLength(1);
    now.mockReturnValue(1500);
    room.pushed(ana.member);
    expect(ana.link.of('slow')).toHaveLength(2);
    expect(metrics.slowdowns).toBe(2);
    expect(ana.link.did).toEqual([]);
    now.mockRestore();
  });

  it('are not read from while a member is 12 MiB behind, until it has caught up to 4', async () => {
    const { room, join } = running;
    const [ana, bo] = [await join(), await join()];
    const slow = await behind(12 * MIB - 1);
    room.pushed(ana.member);
    expect(ana.link.did).toEqual([]);
    slow.member.missed(1);
    room.pushed(ana.member);
    room.pushed(ana.member);
    room.pushed(bo.member);
    expect([ana.link.did, bo.link.did]).toEqual([['stop'], ['stop']]);
    room.relieved();
    slow.member.missed(-8 * MIB);
    room.relieved();
    expect(ana.link.did).toEqual(['stop']);
    slow.member.missed(-1);
    room.relieved();
    room.relieved();
    expect([ana.link.did, bo.link.did]).toEqual([
      ['stop', 'go on'],
      ['stop', 'go on'],
    ]);
    // Held again when it is behind again.
    slow.member.missed(9 * MIB);
    room.pushed(ana.member);
    expect(ana.link.did).toEqual(['stop', 'go on', 'stop']);
  });

  it('are read from again when the slow member leaves', async () => {
    const { room, join } = running;
    const ana = await join();
    const slow = await behind(12 * MIB);
    room.pushed(ana.member);
    room.members.delete(slow.member);
    room.relieved();
    expect(ana.link.did).toEqual(['stop', 'go on']);
  });

  it('are read from again when the slow member has read everything', async () => {
    const { room, join, commit } = running;
    const [ana, slow] = [await join(), await join()];
    slow.link.holding = true;
    commit(...Array.from({ length: 70 }, () => frame(250_000)));
    for (let i = 0; i < 2; i++) {
      room.deliver();
      commit(...Array.from({ length: 60 }, () => frame(250_000)));
    }
    room.deliver();
    room.pushed(ana.member);
    expect(ana.link.did).toEqual(['stop']);
    while (!slow.member.live) {
      slow.link.drain();
      await turn();
    }
    expect(ana.link.did).toEqual(['stop', 'go on']);
    expect(slow.link.seqs).toEqual(Array.from({ length: 190 }, (_, i) => i + 1));
  });
});

describe('who is there', () => {
  it('is told to the others when it changes, and not to whom it is about', async () => {
    const { room, join, seats } = running;
    const [ana, bo, cy] = [await join(), await join(), await join()];
    room.seatsChanged();
    await turn();
    expect(ana.link.events).toEqual([]);
    seats[1] = { ...seats[1]!, presence: 'away' };
    room.seatsChanged();
    await turn();
    expect(ana.link.of('presence')).toEqual([{ seat: bo.seat, presence: 'away' }]);
    expect(bo.link.of('presence')).toEqual([]);
    seats.splice(1, 1);
    room.seatsChanged();
    await turn();
    expect(cy.link.of('presence').at(-1)).toEqual({ seat: bo.seat, presence: 'gone' });
    room.seatsChanged();
    await turn();
    expect(cy.link.of('presence')).toHaveLength(2);
    seats.push({ seat: bo.seat, presence: 'present', holder: bo.link.id });
    room.seatsChanged();
    await turn();
    expect(cy.link.of('presence').at(-1)).toEqual({ seat: bo.seat, presence: 'present' });
  });

  it('does not change by what somebody who joins learns, where it is known already', async () => {
    const { room, join, seats } = running;
    const ana = await join();
    const seat = random16();
    seats.push({ seat, presence: 'away', holder: undefined });
    room.learn([{ seat, presence: 'away' }]);
    room.learn([{ seat, presence: 'present' }]);
    room.seatsChanged();
    await turn();
    expect(ana.link.of('presence')).toEqual([]);
  });

  it('is another connection of the same member: the older one is told to the hub', async () => {
    const { room, join, seats, told } = running;
    const [ana, bo] = [await join(), await join()];
    seats[0] = { ...seats[0]!, holder: 'elsewhere' };
    room.seatsChanged();
    await turn();
    expect(told.superseded).toHaveBeenCalledExactlyOnceWith(ana.member);
    expect(told.takenForDead).not.toHaveBeenCalled();
    expect(bo.link.events).toEqual([]);
  });

  it('is nobody with a member who is here: others took this relay for dead, which the hub is told', async () => {
    const { room, join, seats, told } = running;
    const ana = await join();
    seats[0] = { ...seats[0]!, presence: 'away', holder: undefined };
    room.seatsChanged();
    await turn();
    expect(told.takenForDead).toHaveBeenCalledExactlyOnceWith(ana.member);
    expect(told.superseded).not.toHaveBeenCalled();
  });

  it('is without a seat that was given up: nobody was taken for dead', async () => {
    const { room, join, seats, told } = running;
    const ana = await join();
    seats.splice(0);
    room.seatsChanged();
    await turn();
    expect(told.superseded).toHaveBeenCalledExactlyOnceWith(ana.member);
    expect(told.takenForDead).not.toHaveBeenCalled();
  });

  it('is read again when it changed while it was read, and once for changes of one moment', async () => {
    const { room, failure } = running;
    room.seatsChanged();
    room.seatsChanged();
    room.seatsChanged();
    await turn();
    expect(failure.asked).toBe(2);
    room.seatsChanged();
    await turn();
    expect(failure.asked).toBe(3);
  });

  it('cannot be read: that is reported, and tried again at the next change', async () => {
    const { room, failure, told } = running;
    failure.error = new Error('away');
    room.seatsChanged();
    await turn();
    expect(told.report).toHaveBeenCalledExactlyOnceWith(failure.error);
    failure.error = undefined;
    room.seatsChanged();
    await turn();
    expect(failure.asked).toBe(2);
  });
});

describe('the end', () => {
  it('of a room and its reason are told to the hub, and a fault of a member', () => {
    const { room, told } = running;
    for (const reason of ['ended', 'expired'] as const) room.ended(reason);
    expect(told.ended.mock.calls).toEqual([
      [room, 'ended'],
      [room, 'expired'],
    ]);
    const error = new Error('x');
    room.report(error);
    expect(told.report).toHaveBeenCalledExactlyOnceWith(error);
  });

  it('of an epoch closes every connection, so that members come back and learn it', async () => {
    const { room, join } = running;
    const both = [await join(), await join()];
    room.renewed();
    expect(both.map(({ link }) => link.did)).toEqual([['close'], ['close']]);
  });
});
