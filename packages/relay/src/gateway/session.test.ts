import { encodePushes, type Reply } from '@qsec2/sdk/wire';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defaultSettings } from '../config/settings.ts';
import { refusals } from '../hub/errors.ts';
import { Metrics } from '../metrics.ts';
import { newRoom, random16, random32 } from '../testing/client.ts';
import { operatorToken } from './operator-token.ts';
import { Session, type SessionOptions } from './session.ts';

const SECRET = 'a secret of the operator';
const ADDRESS = '192.0.2.1';
/** One that stands for having a seat. */
const MEMBER = { room: { key: 'room' }, seat: 'seat', closed: false, start: vi.fn() };
const PUSHES = Buffer.from(encodePushes([{ cid: new Uint8Array(16), body: new Uint8Array(3) }]));

afterEach(() => {
  vi.useRealTimers();
});

/** A session over a socket and parts that write down what they are asked. */
function session({ operator = false } = {}) {
  let heard: (event: unknown, ...payload: unknown[]) => void = () => {};
  const state = { draining: false, mayAsk: true, pauseMs: 0 };
  const socket = {
    disconnected: false,
    onAny: (listener: typeof heard) => {
      heard = listener;
    },
    emit: vi.fn(),
    disconnect: vi.fn(),
  };
  const link = { close: vi.fn(), send: vi.fn(), checkIsRead: vi.fn() };
  const intake = { onPacket: (_: number) => {}, count: vi.fn(() => state.pauseMs) };
  const member = { ...MEMBER, start: vi.fn() };
  const hub = {
    join: vi.fn(async (): Promise<unknown> => ({ member, joined: { head: 1 } })),
    leave: vi.fn(async () => {}),
    settle: vi.fn(async () => {}),
    push: vi.fn(),
    received: vi.fn(),
    disconnected: vi.fn(),
  };
  const rooms = {
    create: vi.fn(async (): Promise<Reply<{ epoch: string }>> => ({ ok: { epoch: 'e' } })),
    end: vi.fn(async (): Promise<Reply<true>> => ({ ok: true })),
    report: vi.fn(),
  };
  const blobSession = { put: vi.fn(), get: vi.fn(), drop: vi.fn() };
  const blobs = { session: vi.fn((_: unknown, __: { member(): unknown; draining(): boolean }) => blobSession) };
  const admission = { mayAsk: vi.fn(() => state.mayAsk), guessed: vi.fn() };
  const metrics = new Metrics();
  const onError = vi.fn();
  const settings = { ...defaultSettings(), ...(operator && { operatorSecret: SECRET }) };
  const options = {
    settings,
    admission,
    clock: { now: () => 1000 },
    metrics,
    hub,
    rooms,
    blobs,
    draining: () => state.draining,
    onError,
  };
  const made = new Session(socket as never, link as never, intake as never, ADDRESS, options as unknown as SessionOptions);
  const ask = (event: string, ...fields: unknown[]) => new Promise<Reply<unknown>>((reply) => heard(event, ...fields, reply));
  const tell = (event: unknown, ...fields: unknown[]) => heard(event, ...fields);
  const join = () => ask('join', { room: random16(), token: random32(), seat: random16(), seatSecret: random32() });
  return {
    session: made,
    state,
    socket,
    link,
    intake,
    member,
    hub,
    rooms,
    blobs,
    blobSession,
    admission,
    metrics,
    onError,
    ask,
    tell,
    join,
  };
}

const terms = { ...newRoom(), capacity: 2 };

describe('a request', () => {
  it('is answered with what comes of it, and counted', async () => {
    const { ask, rooms, hub, metrics, member, join, admission } = session();
    expect(await ask('create', terms)).toEqual({ ok: { epoch: 'e' } });
    expect(rooms.create).toHaveBeenCalledWith(terms);
    expect(await join()).toEqual({ ok: { head: 1 } });
    await vi.waitFor(() => expect(member.start).toHaveBeenCalledTimes(1));
    expect(await ask('end', { room: terms.room, endToken: terms.endToken })).toEqual({ ok: true });
    expect(await ask('leave')).toEqual({ ok: true });
    expect(hub.settle.mock.invocationCallOrder[0]).toBeLessThan(hub.leave.mock.invocationCallOrder[0]!);
    expect(metrics).toMatchObject({ roomsCreated: 1, joins: 1, joinsRefused: 0, misbehaved: 0 });
    expect(admission.mayAsk.mock.calls).toEqual(Array(4).fill([ADDRESS]));
    expect(admission.guessed).not.toHaveBeenCalled();
  });

  it.each(['create', 'join', 'end'])('that is not one is refused, and nothing is done: %s', async (event) => {
    const { ask, rooms, hub, metrics, socket } = session();
    expect(await ask(event, { room: 'x' })).toEqual({ error: refusals.badRequest });
    for (const part of [rooms.create, rooms.end, hub.join]) expect(part).not.toHaveBeenCalled();
    expect(metrics).toMatchObject({ roomsCreated: 0, joins: 0 });
    expect(socket.disconnect).not.toHaveBeenCalled();
  });

  it.each([
    ['create', terms],
    ['join', {}],
    ['end', {}],
    ['leave', undefined],
  ])('without a reply ends the connection: %s', (event, field) => {
    const { tell, socket, metrics, rooms } = session();
    tell(event, field);
    expect(socket.emit.mock.calls).toEqual([['error', refusals.badRequest]]);
    expect(socket.disconnect).toHaveBeenCalledExactlyOnceWith(true);
    expect(metrics.misbehaved).toBe(1);
    expect(rooms.create).not.toHaveBeenCalled();
  });

  it('is refused while another one is worked on, and taken again afterwards', async () => {
    const { ask, rooms, admission } = session();
    let release = (_: Reply<{ epoch: string }>) => {};
    rooms.create.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)));
    const first = ask('create', terms);
    expect(await ask('create', terms)).toEqual({ error: refusals.badRequest });
    expect(admission.mayAsk).toHaveBeenCalledTimes(1);
    release({ ok: { epoch: 'f' } });
    expect(await first).toEqual({ ok: { epoch: 'f' } });
    await vi.waitFor(async () => expect(await ask('create', terms)).toEqual({ ok: { epoch: 'e' } }));
  });

  it('is refused when too many came from the address, and when the relay stops', async () => {
    const { ask, state, rooms } = session();
    state.mayAsk = false;
    expect(await ask('create', terms)).toEqual({ error: refusals.rateLimited });
    state.mayAsk = true;
    state.draining = true;
    expect(await ask('create', terms)).toEqual({ error: refusals.draining });
    expect(rooms.create).not.toHaveBeenCalled();
  });

  it('that fails is refused, reported, and no reason to refuse the next one', async () => {
    const { ask, rooms, onError } = session();
    const fault = new Error('disk full');
    rooms.create.mockRejectedValueOnce(fault);
    expect(await ask('create', terms)).toEqual({ error: refusals.unavailable });
    expect(onError).toHaveBeenCalledExactlyOnceWith(fault);
    await vi.waitFor(async () => expect(await ask('create', terms)).toEqual({ ok: { epoch: 'e' } }));
  });

  it.each([
    ['NO_ROOM', refusals.noRoom, 1],
    ['SEAT_TAKEN', refusals.seatTaken, 1],
    ['ROOM_FULL', refusals.roomFull, 0],
  ])('that is refused with %s counts as a guess, or not', async (_, error, guesses) => {
    const { join, ask, hub, rooms, admission, metrics } = session();
    hub.join.mockResolvedValueOnce(error);
    expect(await join()).toEqual({ error });
    rooms.create.mockResolvedValueOnce({ error });
    expect(await ask('create', terms)).toEqual({ error });
    rooms.end.mockResolvedValueOnce({ error });
    expect(await ask('end', { room: terms.room, endToken: terms.endToken })).toEqual({ error });
    expect(admission.guessed.mock.calls).toEqual(Array(3 * guesses).fill([ADDRESS]));
    expect(metrics).toMatchObject({ joinsRefused: 1, joins: 0, roomsCreated: 0 });
  });
});

describe('making a room', () => {
  it("needs an operator's token where there is an operator", async () => {
    const { ask, rooms } = session({ operator: true });
    expect(await ask('create', terms)).toEqual({ error: refusals.operator });
    expect(await ask('create', { ...terms, operator: operatorToken(SECRET, 1) })).toEqual({ error: refusals.operator });
    expect(rooms.create).not.toHaveBeenCalled();
    const operator = operatorToken(SECRET, 2);
    expect(await ask('create', { ...terms, operator })).toEqual({ ok: { epoch: 'e' } });
  });
});

describe('a seat', () => {
  it('is taken once; after leaving it may be taken again', async () => {
    const { join, ask, hub } = session();
    await join();
    await vi.waitFor(async () => expect(await join()).toEqual({ error: refusals.joinedAlready }));
    expect(hub.join).toHaveBeenCalledTimes(1);
    await ask('leave');
    await vi.waitFor(async () => expect(await ask('leave')).toEqual({ error: refusals.notJoined }));
    expect(await join()).toEqual({ ok: { head: 1 } });
    expect(hub.leave).toHaveBeenCalledTimes(1);
  });

  it('of a room that ended is none any more', async () => {
    const { join, ask, tell, member, socket, hub, rooms } = session();
    await join();
    member.closed = true;
    tell('recv', { upTo: 1 });
    expect(hub.received).not.toHaveBeenCalled();
    await vi.waitFor(async () => expect(await ask('leave')).toEqual({ error: refusals.notJoined }));
    tell('report', { kind: 'key-destroyed' });
    expect(rooms.report).not.toHaveBeenCalled();
    expect(socket.emit.mock.calls).toEqual([['error', refusals.notJoined]]);
  });

  it('taken for a connection that is gone meanwhile is given back', async () => {
    const { join, socket, hub, member } = session();
    socket.disconnected = true;
    expect(await join()).toEqual({ error: refusals.unavailable });
    expect(hub.disconnected).toHaveBeenCalledExactlyOnceWith(member);
    expect(member.start).not.toHaveBeenCalled();
  });

  it('that nobody takes within 30 seconds ends the connection; one that was taken does not', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const [idle, seated, gone] = [session(), session(), session()];
    await seated.join();
    gone.session.disconnected();
    expect(gone.link.close).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(29_999);
    expect(idle.link.close).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(idle.link.close).toHaveBeenCalledTimes(1);
    expect(seated.link.close).not.toHaveBeenCalled();
    expect(gone.link.close).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is given to the hub once when the connection goes', async () => {
    const { session: made, join, hub, link, member } = session();
    await join();
    made.disconnected();
    made.disconnected();
    expect(hub.disconnected).toHaveBeenCalledExactlyOnceWith(member);
    expect(link.close).toHaveBeenCalledTimes(2);
    const other = session();
    other.session.disconnected();
    expect(other.hub.disconnected).not.toHaveBeenCalled();
  });
});

describe('what is not answered', () => {
  it('reaches the hub once a seat was taken', async () => {
    const { join, tell, hub, rooms, member, intake, socket } = session();
    await join();
    tell('push', PUSHES);
    expect(hub.push).toHaveBeenCalledExactlyOnceWith(member, PUSHES, [expect.objectContaining({ bodyBytes: 3 })]);
    expect(intake.count).toHaveBeenCalledExactlyOnceWith(0, 0);
    tell('recv', { upTo: 7 });
    expect(hub.received).toHaveBeenCalledExactlyOnceWith(member, 7);
    tell('report', { kind: 'key-destroyed' });
    expect(rooms.report).toHaveBeenCalledExactlyOnceWith(member, { kind: 'key-destroyed' });
    expect(socket.disconnect).not.toHaveBeenCalled();
  });

  it('counts each frame of a push', async () => {
    const { join, tell, intake } = session();
    await join();
    const three = Array.from({ length: 3 }, () => ({ cid: new Uint8Array(16), body: new Uint8Array(3) }));
    tell('push', Buffer.from(encodePushes(three)));
    expect(intake.count).toHaveBeenCalledExactlyOnceWith(2, 0);
  });

  it.each([
    ['push', PUSHES],
    ['report', { kind: 'key-destroyed' }],
  ])('ends the connection before a seat was taken: %s', (event, field) => {
    const { tell, socket, hub, rooms, onError, metrics } = session();
    tell(event, field);
    expect(socket.emit.mock.calls).toEqual([['error', refusals.notJoined]]);
    expect(socket.disconnect).toHaveBeenCalledExactlyOnceWith(true);
    for (const part of [hub.push, rooms.report, onError]) expect(part).not.toHaveBeenCalled();
    expect(metrics.misbehaved).toBe(1);
  });

  it('is a receipt that comes early, or late: it counts for nothing and ends nothing', () => {
    const { tell, socket, hub } = session();
    tell('recv', { upTo: 7 });
    expect(hub.received).not.toHaveBeenCalled();
    expect(socket.disconnect).not.toHaveBeenCalled();
  });

  it.each([
    ['push', Buffer.from('no push')],
    ['push', 'text'],
    ['push', undefined],
    ['recv', { upTo: -1 }],
    ['recv', undefined],
    ['report', { kind: 'x' }],
  ])('ends the connection where it is not what it should be: %s %j', async (event, field) => {
    const { join, tell, socket, hub, rooms, onError } = session();
    await join();
    tell(event, field);
    expect(socket.emit.mock.calls).toEqual([['error', refusals.badRequest]]);
    expect(socket.disconnect).toHaveBeenCalledExactlyOnceWith(true);
    for (const part of [hub.push, hub.received, rooms.report, onError]) expect(part).not.toHaveBeenCalled();
  });

  it.each(['x', '', 'batch', '__proto__', 'constructor', 7, undefined, 'blob'])(
    'is an event that is not of the contract: %j',
    (event) => {
      const { tell, socket, hub, rooms, blobs, onError, link } = session();
      tell(event, { upTo: 1 }, () => {});
      for (const part of [socket.emit, socket.disconnect, hub.push, rooms.create, blobs.session, onError, link.close])
        expect(part).not.toHaveBeenCalled();
    },
  );
});

describe('requests about files', () => {
  it('go to a session of their own, made with the first of them, that knows who asks', async () => {
    const { tell, join, blobs, blobSession, state, member } = session();
    expect(blobs.session).not.toHaveBeenCalled();
    const reply = () => {};
    tell('blob:put', 'a', 'b', reply);
    tell('blob:get', 'c', reply);
    tell('blob:drop', 'd', reply);
    expect(blobs.session).toHaveBeenCalledTimes(1);
    expect(blobSession.put).toHaveBeenCalledExactlyOnceWith('a', 'b', reply);
    expect(blobSession.get).toHaveBeenCalledExactlyOnceWith('c', reply);
    expect(blobSession.drop).toHaveBeenCalledExactlyOnceWith('d', reply);
    const [, who] = blobs.session.mock.calls[0]!;
    expect([who.member(), who.draining()]).toEqual([undefined, false]);
    await join();
    state.draining = true;
    expect([who.member(), who.draining()]).toEqual([{ room: 'room', seat: 'seat' }, true]);
    member.closed = true;
    expect(who.member()).toBeUndefined();
  });
});

describe('a client that is too fast', () => {
  it('is told for how long nothing is read, from 50 ms on; and whether it reads is looked at with each packet', async () => {
    const { intake, link, join, tell, state } = session();
    intake.onPacket(49);
    expect(link.send).not.toHaveBeenCalled();
    intake.onPacket(50);
    expect(link.send.mock.calls).toEqual([['slow', { pauseMs: 50 }]]);
    expect(link.checkIsRead).toHaveBeenCalledTimes(2);
    await join();
    state.pauseMs = 70;
    tell('push', PUSHES);
    expect(link.send.mock.calls[1]).toEqual(['slow', { pauseMs: 70 }]);
  });
});

it('a fault of ours ends the connection over which it came, and is reported', async () => {
  const { join, tell, hub, onError, link } = session();
  await join();
  const fault = new Error('a fault of ours');
  hub.push.mockImplementation(() => {
    throw fault;
  });
  expect(() => tell('push', PUSHES)).not.toThrow();
  expect(onError).toHaveBeenCalledExactlyOnceWith(fault);
  expect(link.close).toHaveBeenCalledTimes(1);
});
