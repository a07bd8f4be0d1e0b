import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { encodePushes, type JoinRequest, type Push, type RelayLimits } from '@qsec2/sdk/wire';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EventRecorder } from '../events/recorder.ts';
import { parsePushes } from '../frames/parse-pushes.ts';
import { Hasher } from '../hashes.ts';
import { Metrics } from '../metrics.ts';
import { CONTRACT_LIMITS } from '../store/contract.ts';
import { LocalStore } from '../store/local/local-store.ts';
import { MemoryJournal } from '../store/local/memory-journal.ts';
import { type AppendRequest, MAILBOX_FULL, NO_SUCH_ROOM } from '../store/store.ts';
import { newRoom, random16, random32 } from '../testing/client.ts';
import { movableClock, recordingObserver } from '../testing/observer.ts';
import { RecordedLink } from '../testing/recorded-link.ts';
import { refusals } from './errors.ts';
import { Hub } from './hub.ts';
import type { Member } from './member.ts';
import { Rooms } from './rooms.ts';

const hasher = new Hasher('a pepper for these tests');
const AWAY_MS = 5000;

/** A store whose commits the test may hold up, refuse, or answer for. */
class SlowStore extends LocalStore {
  appended = 0;
  answer: (requests: readonly AppendRequest[]) => Promise<number[]> = (requests) => super.append(requests);

  override append(requests: readonly AppendRequest[]): Promise<number[]> {
    this.appended += requests.length;
    return this.answer(requests);
  }
}

const hubs: Hub[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const hub of hubs.splice(0)) await hub.close();
});

async function relay({ capacity = 3, frameBytes = 1000 } = {}) {
  const clock = movableClock();
  const store = new SlowStore(new MemoryJournal(), clock, CONTRACT_LIMITS, recordingObserver().observer);
  const events = { joined: vi.fn(), record: vi.fn(), relayed: vi.fn() };
  const errors: unknown[] = [];
  const metrics = new Metrics();
  const limits = { frameBytes, inFlightFrames: 10, inFlightBytes: 10_000 } as RelayLimits;
  const recorder = events as unknown as EventRecorder;
  const onError = (error: unknown) => void errors.push(error);
  const cutLate: number[] = [];
  const onCutLate = (members: number) => void cutLate.push(members);
  const hub = new Hub({ store, clock, hasher, events: recorder, metrics, limits, awayAfterMs: AWAY_MS, onError, onCutLate });
  hubs.push(hub);
  const rooms = new Rooms(store, hasher, recorder);
  const secrets = newRoom();
  const { epoch } = (await rooms.create({ ...secrets, capacity })).ok!;
  const key = hasher.name('room', secrets.room);
  const ask = (terms: Partial<JoinRequest> = {}, link = new RecordedLink()) =>
    hub.join(link, { room: secrets.room, token: secrets.token, seat: random16(), seatSecret: random32(), ...terms });
  const join = async (terms: Partial<JoinRequest> = {}) => {
    const link = new RecordedLink();
    const result = await ask(terms, link);
    if ('code' in result) throw new Error(result.code);
    await result.member.start();
    return { link, ...result };
  };
  return { hub, rooms, store, clock, events, errors, metrics, limits, secrets, epoch, key, cutLate, ask, join };
}

function push(hub: Hub, member: Member, ...pushes: Partial<Push>[]): void {
  const list = pushes.map((one) => ({ cid: randomBytes(16), body: Buffer.from('text'), ...one }) as Push);
  const bytes = Buffer.from(encodePushes(list));
  hub.push(member, bytes, parsePushes(bytes)!);
}

const settled = async ({ hub }: { hub: Hub }) => {
  await hub.settle();
  await turn();
};

describe('who wants to join', () => {
  it('is told where the log stands, who is there and what is allowed, and the event log has it', async () => {
    const running = await relay();
    const { hub, epoch, key, limits, events, join } = running;
    const ana = await join();
    push(hub, ana.member, {}, {});
    await settled(running);
    const seat = random16();
    const bo = await join({ seat });
    expect(bo.joined).toEqual({
      epoch,
      head: 2,
      floor: 0,
      members: [
        { seat: ana.member.seat, presence: 'present' },
        { seat, presence: 'present' },
      ],
      limits,
      durability: 'memory',
    });
    expect(bo.member.cursor).toBe(2);
    expect(events.joined).toHaveBeenLastCalledWith(key, hasher.name('actor', seat), expect.objectContaining({ resumed: false }));
    expect(ana.link.of('presence')).toEqual([{ seat, presence: 'present' }]);
  });

  it('is refused without the room, its token, a seat that is free, or the secret of one that is taken', async () => {
    const { ask, join, metrics } = await relay({ capacity: 2 });
    expect(await ask({ room: random16() })).toBe(refusals.noRoom);
    expect(await ask({ token: random32() })).toBe(refusals.noRoom);
    const seat = random16();
    await join({ seat });
    expect(await ask({ seat })).toBe(refusals.seatTaken);
    await join();
    expect(await ask()).toBe(refusals.roomFull);
    expect(metrics.framesPlaced).toBe(0);
  });

  it('and is refused holds no room open', async () => {
    const { ask, store, key } = await relay({ capacity: 2 });
    const unwatch = vi.spyOn(store, 'unwatch');
    const seat = random16();
    const first = await ask({ seat });
    expect('code' in first).toBe(false);
    await ask({ seat });
    expect(unwatch).not.toHaveBeenCalled();
    const { hub, member } = { hub: hubs.at(-1)!, member: (first as { member: Member }).member };
    await hub.leave(member);
    expect(unwatch).toHaveBeenCalledExactlyOnceWith(key);
    unwatch.mockClear();
    const other = await relay();
    const taken = vi.spyOn(other.store, 'takeSeat').mockResolvedValue('no room');
    const closed = vi.spyOn(other.store, 'unwatch');
    expect(await other.ask()).toBe(refusals.noRoom);
    expect(closed).toHaveBeenCalledTimes(1);
    taken.mockRejectedValueOnce(new Error('away'));
    await expect(other.ask()).rejects.toThrow('away');
  });

  it('and whose room ends while the seat is taken is refused', async () => {
    const running = await relay();
    const take = running.store.takeSeat.bind(running.store);
    vi.spyOn(running.store, 'takeSeat').mockImplementation(async (...request) => {
      const taken = await take(...request);
      await running.store.end(running.key);
      return taken;
    });
    expect(await running.ask()).toBe(refusals.noRoom);
  });

  it('goes on where it was, or gets everything where its place is of another epoch', async () => {
    const running = await relay();
    const { hub, epoch, join, store, key } = running;
    const ana = await join();
    push(hub, ana.member, {}, {}, {});
    await settled(running);
    const received = vi.spyOn(store, 'received');
    const seat = random16();
    expect((await join({ seat, since: { epoch, seq: 2 } })).link.seqs).toEqual([3]);
    expect(received).toHaveBeenLastCalledWith(key, seat, 2);
    expect((await join({ since: { epoch: random16(), seq: 2 } })).link.seqs).toEqual([1, 2, 3]);
    received.mockClear();
    await hub.leave(ana.member);
    expect((await join()).link.seqs).toEqual([]);
    expect(received).not.toHaveBeenCalled();
  });

  it('is told of what is no longer kept', async () => {
    const running = await relay();
    const { hub, epoch, join, store, key, clock } = running;
    const ana = await join();
    push(hub, ana.member, {}, {});
    await settled(running);
    clock.ahead += CONTRACT_LIMITS.retentionMs + 1;
    push(hub, ana.member, {});
    await settled(running);
    await store.sweep();
    const { joined, link, member } = await join({ since: { epoch, seq: 1 } });
    expect(joined).toMatchObject({ floor: 2, head: 3, gap: { from: 2, to: 2 } });
    expect([link.seqs, link.gaps, member.cursor]).toEqual([[3], [], 3]);
    const late = await join({ since: { epoch, seq: 2 } });
    expect(late.joined.gap).toBeUndefined();
    expect((await store.seats(key)).length).toBe(3);
  });
});

describe('pushes', () => {
  it('are committed together, acknowledged, and then sent; and counted', async () => {
    const running = await relay();
    const { hub, join, events, metrics, store, key } = running;
    const [ana, bo] = [await join(), await join()];
    const appends = vi.spyOn(store, 'append');
    push(hub, ana.member, {}, {});
    push(hub, bo.member, {});
    expect(ana.link.acks).toEqual([]);
    await settled(running);
    expect(appends).toHaveBeenCalledTimes(1);
    expect([ana.link.acks, bo.link.acks]).toEqual([[{ upTo: 2, seq: [1, 2] }], [{ upTo: 1, seq: [3] }]]);
    expect([ana.link.seqs, bo.link.seqs]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(ana.link.did).toContain('flush');
    expect(events.relayed.mock.calls).toEqual([1, 2, 3].map((seq) => [key, 53, seq]));
    expect(metrics).toMatchObject({ framesPlaced: 3, bytesTaken: 159, commits: 1, framesRefused: 0, framesTransient: 0 });
    expect(metrics.commitSeconds.values.sum).toBeGreaterThan(0);
    expect(metrics.commitSeconds.values.sum).toBeLessThan(10);
  });

  it('that are transient are answered and handed on, and take no place; nothing is committed for them alone', async () => {
    const running = await relay();
    const { hub, join, metrics, store, key } = running;
    const [ana, bo] = [await join(), await join()];
    const handed = vi.spyOn(store, 'relayTransient');
    push(hub, ana.member, { transient: true });
    await settled(running);
    expect(ana.link.acks).toEqual([{ upTo: 1, seq: [0] }]);
    expect(bo.link.batches.flatMap(({ deliveries }) => deliveries)).toMatchObject([{ transient: true, seq: 0 }]);
    expect(handed).toHaveBeenCalledExactlyOnceWith(key, [expect.anything()]);
    expect([store.appended, metrics.framesTransient, metrics.commits]).toEqual([0, 1, 0]);
    push(hub, ana.member, {}, { transient: true }, {});
    await settled(running);
    expect(ana.link.acks[1]).toEqual({ upTo: 4, seq: [1, 0, 2] });
  });

  it('are refused one by one when too large or too many, in their order', async () => {
    const running = await relay({ frameBytes: 100 });
    const { hub, join, metrics } = running;
    const ana = await join();
    push(hub, ana.member, { body: Buffer.alloc(100) }, { body: Buffer.alloc(101) }, {});
    await settled(running);
    expect(ana.link.acks[0]).toEqual({ upTo: 3, seq: [1, -1, 2], refused: [{ push: 2, error: refusals.tooLarge }] });
    expect(metrics.framesRefused).toBe(1);
    push(hub, ana.member, ...Array.from({ length: 21 }, () => ({})));
    await settled(running);
    expect(ana.link.acks[1]!.refused).toEqual([{ push: 24, error: refusals.tooManyInFlight }]);
    expect(metrics).toMatchObject({ framesRefused: 2, framesPlaced: 22 });
  });

  it.each([
    ['the mailbox is full', MAILBOX_FULL, refusals.mailboxFull],
    ['the room is gone', NO_SUCH_ROOM, refusals.noRoom],
  ])('are refused when %s, and nothing is counted as placed', async (_, place, error) => {
    const running = await relay();
    const { hub, join, store, metrics, events } = running;
    const ana = await join();
    store.answer = async (requests) => requests.map(() => place);
    push(hub, ana.member, {}, { transient: true });
    await settled(running);
    expect(ana.link.acks).toEqual([{ upTo: 2, seq: [-1, 0], refused: [{ push: 1, error }] }]);
    expect(metrics).toMatchObject({ framesRefused: 1, framesPlaced: 0, bytesTaken: 0 });
    expect(events.relayed).not.toHaveBeenCalled();
  });

  it('are refused when they cannot be stored; that is reported, and the next ones are stored again', async () => {
    const running = await relay();
    const { hub, join, store, metrics, errors } = running;
    const ana = await join();
    const fault = new Error('disk full');
    const { answer } = store;
    store.answer = () => Promise.reject(fault);
    push(hub, ana.member, {}, {});
    await settled(running);
    expect(ana.link.acks[0]).toMatchObject({
      seq: [-1, -1],
      refused: [{ error: refusals.unavailable }, { error: refusals.unavailable }],
    });
    expect(errors).toEqual([fault]);
    expect(metrics).toMatchObject({ framesRefused: 2, commits: 0 });
    store.answer = answer;
    push(hub, ana.member, {});
    await settled(running);
    expect(ana.link.acks[1]).toEqual({ upTo: 3, seq: [1] });
  });

  it('that come while a commit is under way are collected for the next one', async () => {
    const running = await relay();
    const { hub, join, store } = running;
    const ana = await join();
    const { answer } = store;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sizes: number[] = [];
    store.answer = async (requests) => {
      sizes.push(requests.length);
      await held;
      return answer(requests);
    };
    push(hub, ana.member, {});
    await turn();
    push(hub, ana.member, {});
    push(hub, ana.member, {});
    await turn();
    expect([sizes, ana.link.acks]).toEqual([[1], []]);
    release();
    await settled(running);
    expect(sizes).toEqual([1, 2]);
    expect(ana.link.acks.map(({ seq }) => seq)).toEqual([[1], [2, 3]]);
    expect(ana.link.seqs).toEqual([1, 2, 3]);
  });

  it('of a busy relay are collected for longer, and of a quiet one are not', async () => {
    const running = await relay();
    const { hub, join, store } = running;
    const ana = await join();
    const appends = vi.spyOn(store, 'append');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'], now: 10_000 });
    const tick = async () => {
      push(hub, ana.member, {});
      await turn();
      await turn();
    };
    await tick();
    expect([appends.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0]);
    // Twenty a millisecond: a burst at first, and busy once it goes on for long enough.
    let since = 0;
    for (let ms = 1; ms <= 400; ms++) {
      push(hub, ana.member, ...Array.from({ length: 20 }, () => ({ transient: true })));
      await hub.settle();
      await turn();
      if (since === 0 && vi.getTimerCount() > 0) since = ms;
      vi.advanceTimersByTime(1);
    }
    // Half of 20 after 200 ms · ln 2, or a little before.
    expect(since).toBeGreaterThan(80);
    expect(since).toBeLessThan(130);
    vi.advanceTimersByTime(10);
    await turn();
    appends.mockClear();
    await tick();
    expect(appends).toHaveBeenCalledTimes(1);
    await tick();
    vi.advanceTimersByTime(3);
    await turn();
    expect(appends).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    await turn();
    expect(appends).toHaveBeenCalledTimes(2);
    // Quiet again after a while.
    vi.advanceTimersByTime(1000);
    await tick();
    await tick();
    expect(appends).toHaveBeenCalledTimes(4);
  });

  it('are all answered before the hub is closed', async () => {
    const { hub, join } = await relay();
    const ana = await join();
    push(hub, ana.member, {});
    await hub.close();
    expect(ana.link.acks).toEqual([{ upTo: 1, seq: [1] }]);
  });

  it('under way do not keep the hub from closing once they are committed', async () => {
    const { hub, join, store } = await relay();
    const ana = await join();
    const { answer } = store;
    let release = () => {};
    store.answer = (requests) =>
      new Promise((resolve) => {
        release = () => resolve(answer(requests));
      });
    push(hub, ana.member, {});
    await turn();
    let closed = false;
    const closing = hub.close().then(() => {
      closed = true;
    });
    await turn();
    expect([closed, ana.link.acks]).toEqual([false, []]);
    release();
    await closing;
    expect(ana.link.acks).toEqual([{ upTo: 1, seq: [1] }]);
  });

  it('fail without ending the hub when what is behind the commit fails', async () => {
    const running = await relay();
    const { hub, join, events, errors } = running;
    const ana = await join();
    events.relayed.mockImplementationOnce(() => {
      throw new Error('a fault of ours');
    });
    push(hub, ana.member, {});
    await settled(running);
    expect(errors).toMatchObject([{ message: 'a fault of ours' }]);
    push(hub, ana.member, {});
    await settled(running);
    expect(ana.link.seqs).toEqual([1, 2]);
  });
});

describe('what a member received', () => {
  it('is noted up to what it was sent, and no further', async () => {
    const running = await relay();
    const { hub, join, store, key } = running;
    const ana = await join();
    push(hub, ana.member, {}, {});
    await settled(running);
    const received = vi.spyOn(store, 'received');
    hub.received(ana.member, 1);
    hub.received(ana.member, 99);
    expect(received.mock.calls).toEqual([
      [key, ana.member.seat, 1],
      [key, ana.member.seat, 2],
    ]);
  });
});

describe('a member', () => {
  it('that leaves gives its seat up, which the others and the event log are told', async () => {
    const { hub, join, store, key, events } = await relay();
    const [ana, bo] = [await join(), await join()];
    await hub.leave(bo.member);
    await turn();
    expect(bo.member.closed).toBe(true);
    expect(ana.link.of('presence').at(-1)).toEqual({ seat: bo.member.seat, presence: 'gone' });
    expect(await store.seats(key)).toHaveLength(1);
    const actor = hasher.name('actor', bo.member.seat);
    expect(events.record).toHaveBeenLastCalledWith({ kind: 'member-left', room: key, actor });
  });

  it('whose connection drops is away after a while, unless it is back by then', async () => {
    const { hub, join, store, key } = await relay();
    const [ana, bo] = [await join(), await join()];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const presence = async () => (await store.seats(key)).find(({ seat }) => seat === bo.member.seat)?.presence;
    hub.disconnected(bo.member);
    await vi.advanceTimersByTimeAsync(AWAY_MS - 1);
    expect(await presence()).toBe('present');
    await vi.advanceTimersByTimeAsync(1);
    expect(await presence()).toBe('away');
    await turn();
    expect(ana.link.of('presence').at(-1)).toEqual({ seat: bo.member.seat, presence: 'away' });
  });

  it('whose connection drops when it has left already is not released again', async () => {
    const { hub, join, store } = await relay();
    const ana = await join();
    await hub.leave(ana.member);
    const release = vi.spyOn(store, 'releaseSeat');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    hub.disconnected(ana.member);
    await vi.advanceTimersByTimeAsync(2 * AWAY_MS);
    expect(release).not.toHaveBeenCalled();
  });

  it('that cannot be shown as away is reported', async () => {
    const { hub, join, store, errors } = await relay();
    const ana = await join();
    vi.spyOn(store, 'releaseSeat').mockRejectedValue(new Error('away'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    hub.disconnected(ana.member);
    await vi.advanceTimersByTimeAsync(AWAY_MS);
    expect(errors).toMatchObject([{ message: 'away' }]);
  });

  it('is no longer waited for once the hub is closed', async () => {
    const { hub, join, store } = await relay();
    const ana = await join();
    const release = vi.spyOn(store, 'releaseSeat');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    hub.disconnected(ana.member);
    await hub.close();
    await vi.advanceTimersByTimeAsync(2 * AWAY_MS);
    expect(release).not.toHaveBeenCalled();
  });

  it('that comes back over another connection has the older one closed, and keeps its seat', async () => {
    const { join, store, key } = await relay();
    const terms = { seat: random16(), seatSecret: random32() };
    const [older, ana] = [await join(terms), await join()];
    const newer = await join(terms);
    await turn();
    expect([older.member.closed, older.link.did, newer.member.closed]).toEqual([true, ['close'], false]);
    expect(ana.link.of('presence')).toEqual([]);
    expect(await store.seats(key)).toHaveLength(2);
  });

  it('that others took for dead, with this relay, is cut; the metrics count it, and one report tells of all at once', async () => {
    const running = await relay();
    const { hub, store, key, join, metrics, cutLate } = running;
    const members = [await join(), await join()];
    for (const { member } of members) await store.releaseSeat(key, member.seat, member.link.id);
    await expect.poll(() => members.map(({ link }) => link.did)).toEqual([['close'], ['close']]);
    expect(metrics.membersCutLate).toBe(2);
    await hub.close();
    expect(cutLate).toEqual([2]);
  });

  it('that takes nothing for 15 seconds is cut, and nobody else', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { join, metrics } = await relay();
    const [ana, bo] = [await join(), await join()];
    ana.link.stalledMs = 15_000;
    bo.link.stalledMs = 14_999;
    vi.advanceTimersByTime(2499);
    expect(ana.link.did).toEqual([]);
    vi.advanceTimersByTime(1);
    expect([ana.link.did, bo.link.did]).toEqual([['terminate'], []]);
    expect(metrics.connectionsCut).toBe(1);
  });
});

describe('a room', () => {
  it('that ends is told to everyone in it, after what it still had to send; then nobody is in it', async () => {
    const running = await relay();
    const { rooms, join, store, key, secrets, ask, hub, errors } = running;
    const ana = await join();
    const [frame] = await store.append([]);
    expect(frame).toBeUndefined();
    push(hub, ana.member, {});
    await settled(running);
    expect(await rooms.end({ room: secrets.room, endToken: random32() })).toEqual({ error: refusals.noRoom });
    expect(await rooms.end({ room: random16(), endToken: secrets.endToken })).toEqual({ error: refusals.noRoom });
    expect(await rooms.end({ room: secrets.room, endToken: secrets.endToken })).toEqual({ ok: true });
    expect(ana.link.of('ended')).toEqual([{ reason: 'ended' }]);
    expect(ana.member.closed).toBe(true);
    expect(await ask()).toBe(refusals.noRoom);
    expect(await store.seats(key)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('is watched while somebody is in it or about to be, and once for all', async () => {
    const { hub, join, ask, store } = await relay();
    const watch = vi.spyOn(store, 'watch');
    const unwatch = vi.spyOn(store, 'unwatch');
    const [ana, bo] = await Promise.all([join(), join()]);
    expect(watch).toHaveBeenCalledTimes(1);
    await hub.leave(ana.member);
    expect(unwatch).not.toHaveBeenCalled();
    const [, , cy] = await Promise.all([hub.leave(bo.member), turn(), ask()]);
    expect('code' in cy).toBe(false);
    await hub.leave((cy as { member: Member }).member);
    expect(watch.mock.calls.length).toBe(unwatch.mock.calls.length);
  });

  it('stays open for who is about to join it though everyone else leaves', async () => {
    const { hub, join, ask, store } = await relay();
    const ana = await join();
    const take = store.takeSeat.bind(store);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    vi.spyOn(store, 'takeSeat').mockImplementation(async (...request) => {
      await held;
      return take(...request);
    });
    const unwatch = vi.spyOn(store, 'unwatch');
    const bo = ask();
    await turn();
    await hub.leave(ana.member);
    release();
    expect('code' in (await bo)).toBe(false);
    expect(unwatch).not.toHaveBeenCalled();
  });

  it('that cannot be watched is refused, and tried again for the next one', async () => {
    const { ask, store } = await relay();
    vi.spyOn(store, 'watch').mockRejectedValueOnce(new Error('away'));
    await expect(ask()).rejects.toThrow('away');
    expect('code' in (await ask())).toBe(false);
  });

  it('is made once, known again by its terms, and recorded once', async () => {
    const { rooms, events, secrets, epoch, key } = await relay();
    expect(events.record).toHaveBeenCalledTimes(1);
    expect(await rooms.create({ ...secrets, capacity: 3 })).toEqual({ ok: { epoch } });
    expect(await rooms.create({ ...secrets, capacity: 4 })).toEqual({ error: refusals.noRoom });
    expect(events.record.mock.calls).toEqual([[{ kind: 'room-created', room: key, n: 3 }]]);
  });

  it('is not made beyond as many as may be', async () => {
    const { rooms, store } = await relay();
    vi.spyOn(store, 'create').mockResolvedValue('full');
    expect(await rooms.create({ ...newRoom(), capacity: 2 })).toEqual({ error: refusals.tooManyRooms });
  });

  it('has what a member tells about its keys in the event log', async () => {
    const { rooms, join, events, key } = await relay();
    const { member } = await join();
    rooms.report(member, { kind: 'key-destroyed' });
    const actor = hasher.name('actor', member.seat);
    expect(events.record).toHaveBeenLastCalledWith({ kind: 'key-destroyed', room: key, actor });
  });
});

it('the words of every refusal are fixed, and say what to do where time helps', () => {
  expect(refusals).toMatchSnapshot();
});
