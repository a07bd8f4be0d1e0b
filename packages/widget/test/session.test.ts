import { QsecError } from '@qsec2/sdk';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { Session, type SessionEvents } from '../src/store/session';
import { queuedCount } from '../src/store/timeline.logic';
import { FakeRoom } from './fake-room.ts';
import { stagesUpTo } from './fixtures.ts';

const connect = vi.hoisted(() => vi.fn());
vi.mock('../src/store/sdk', () => ({ loadSdk: async () => ({ connect }) }));

let events: { message: Mock<SessionEvents['message']>; error: Mock<SessionEvents['error']> };
let session: Session;
let room: FakeRoom;
let linkBase: string;

beforeEach(() => {
  vi.stubGlobal('location', { href: 'https://app.example/page?x=1' });
  connect.mockReset();
  linkBase = '';
  events = { message: vi.fn(), error: vi.fn() };
  session = new Session(() => ({ relay: 'https://relay.example', keyAgreement: { pulses: 8192 }, linkBase }), events);
  room = new FakeRoom();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('connecting', () => {
  it('creates a room with what the person chose and the page set', async () => {
    connect.mockResolvedValue(room);
    await session.create({ name: 'Ana', roomName: 'Review', capacity: 3, ask: true });
    expect(connect).toHaveBeenCalledWith(
      expect.objectContaining({
        relay: 'https://relay.example',
        name: 'Ana',
        roomName: 'Review',
        capacity: 3,
        join: 'approve',
        keyAgreement: { pulses: 8192 },
      }),
    );
    expect(session.view).toMatchObject({ phase: 'waiting', creator: true });
  });

  it('leaves out an empty name, so that the SDK names the guest', async () => {
    connect.mockResolvedValue(room);
    await session.join('q2.abc', '');
    expect(connect.mock.calls[0]?.[0]).not.toHaveProperty('name');
  });

  it('makes the link of the page the person is on', async () => {
    connect.mockResolvedValue(room);
    await session.create({ name: '', roomName: '', capacity: 2, ask: false });
    expect(session.view.link).toMatch(/^https:\/\/app\.example\/page\?x=1#q2\./);
  });

  it('makes the link of the page that the page names, and of another one once it names that', () => {
    linkBase = 'https://chat.example/#/support';
    session.adopt(room);
    expect(session.view.link).toBe(`https://chat.example/#/support?${room.invite.code}`);
    linkBase = '/rooms';
    session.linkBaseChanged();
    expect(session.view.link).toBe(`https://app.example/rooms#${room.invite.code}`);
    expect(events.error).not.toHaveBeenCalled();
  });

  it.each([
    'about:srcdoc',
    'about:blank',
    'blob:https://app.example/1-2',
    'data:text/html,x',
    'file:///home/a.html',
    'chrome-extension://abc/a.html',
  ])('makes no link of %s: there is the code, and words for whoever runs the page', (href) => {
    vi.stubGlobal('location', { href });
    session.adopt(room);
    expect(session.view).toMatchObject({ link: '', code: room.invite.code, linkTrouble: 'no-address' });
    expect(events.error).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', remediation: expect.stringContaining('link-base') }),
    );
    linkBase = 'https://chat.example/';
    session.linkBaseChanged();
    expect(session.view).toMatchObject({ link: `https://chat.example/#${room.invite.code}`, linkTrouble: undefined });
    expect(events.error).toHaveBeenCalledTimes(1);
  });

  it.each([
    'javascript:alert(1)',
    'ftp://app.example/',
    'https://',
    'https://user:word@app.example/',
    'data:text/html,x',
    'wss://app.example/',
  ])('makes no link of a page named %s, though the page itself could be opened', (named) => {
    linkBase = named;
    session.adopt(room);
    expect(session.view).toMatchObject({ link: '', code: room.invite.code, linkTrouble: 'wrong-base' });
    expect(events.error).toHaveBeenCalledTimes(1);
  });

  it('tells why there is no room, and tries the same again', async () => {
    connect.mockRejectedValueOnce(new QsecError('ROOM_FULL', 'full')).mockResolvedValueOnce(room);
    await session.join('q2.abc', 'Bo');
    expect(session.view).toMatchObject({ phase: 'failed', problem: { code: 'ROOM_FULL' } });
    session.retry();
    await vi.waitFor(() => expect(session.view.phase).toBe('waiting'));
    expect(connect.mock.calls[1]?.[0]).toMatchObject({ invite: 'q2.abc', name: 'Bo' });
  });

  it('calls an SDK that cannot be loaded an unsupported browser, with its message', async () => {
    connect.mockRejectedValue(new TypeError('Failed to fetch dynamically imported module'));
    await session.join('q2.abc', 'Bo');
    expect(session.view.problem).toMatchObject({ code: 'UNSUPPORTED', message: 'Failed to fetch dynamically imported module' });
  });

  it('leaves a room that was reached after the person gave up', async () => {
    let arrive: (value: FakeRoom) => void = () => undefined;
    connect.mockReturnValue(
      new Promise((resolve) => {
        arrive = resolve;
      }),
    );
    const joining = session.join('q2.abc', 'Bo');
    await vi.waitFor(() => expect(connect).toHaveBeenCalled());
    await session.leave();
    arrive(room);
    await joining;
    expect(room.calls).toEqual(['leave']);
    expect(session.view.phase).toBe('setup');
  });

  it('stays in the room whose invite is opened again', async () => {
    session.adopt(room);
    await session.join(room.invite.link('https://elsewhere.example/'), 'Ana');
    expect(session.view.otherInvite).toBeUndefined();
  });

  it('asks before it changes rooms for another link', async () => {
    session.adopt(room);
    await session.join('q2.other', 'Ana');
    expect(session.view).toMatchObject({ phase: 'waiting', otherInvite: 'q2.other' });
    const next = new FakeRoom();
    connect.mockResolvedValue(next);
    await session.switchRoom();
    expect(room.calls).toEqual(['leave']);
    expect(session.room).toBe(next);
  });
});

describe('an element that is gone from the page', () => {
  it('leaves a room of its own, and says that it has ended', async () => {
    connect.mockResolvedValue(room);
    await session.create({ name: 'Ana', roomName: '', capacity: 2, ask: false });
    session.end();
    expect(room.calls).toEqual(['leave']);
    expect(session.view).toMatchObject({ phase: 'closed', name: 'Ana', timeline: [], link: '', code: '' });
    expect(session.room).toBeUndefined();
    await session.leave();
    expect(session.view.phase).toBe('setup');
  });

  it('stops reaching for a room', async () => {
    connect.mockImplementation(({ signal }: { signal: AbortSignal }) => {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const joining = session.join('q2.abc', 'Bo');
    await vi.waitFor(() => expect(connect).toHaveBeenCalled());
    session.end();
    await joining;
    expect(session.view.phase).toBe('closed');
    expect(events.error).not.toHaveBeenCalled();
  });

  it('does not follow a room of the page any more, which goes on, and follows it again', () => {
    session.adopt(room);
    const bo = room.admit('Bo');
    session.end();
    const { view } = session;
    room.receive(bo, 'meanwhile');
    expect(session.view).toBe(view);
    expect(room.calls).toEqual([]);
    session.adopt(room);
    expect(session.view.timeline).toMatchObject([{ text: 'meanwhile' }]);
  });

  it.each([
    ['at the start', 'setup'],
    ['after a failure', 'failed'],
  ])('changes nothing %s', async (_, phase) => {
    connect.mockRejectedValue(new QsecError('ROOM_FULL', 'full'));
    if (phase === 'failed') await session.join('q2.abc', 'Bo');
    const { view } = session;
    session.end();
    expect(session.view).toBe(view);
    expect(view.phase).toBe(phase);
  });

  it('tells of a room that could not be left', async () => {
    connect.mockResolvedValue(room);
    await session.create({ name: 'Ana', roomName: '', capacity: 2, ask: false });
    vi.spyOn(room, 'leave').mockRejectedValue(new QsecError('TIMEOUT', 'no answer'));
    session.end();
    await vi.waitFor(() => expect(events.error).toHaveBeenCalledWith(expect.objectContaining({ code: 'TIMEOUT' })));
  });
});

describe('an open room', () => {
  it('is never told to be back at the start', () => {
    const phases: string[] = [];
    session.subscribe(() => phases.push(session.view.phase));
    session.adopt(room);
    expect(new Set(phases)).toEqual(new Set(['connecting', 'waiting']));
  });

  it('records each key with what it took', () => {
    session.adopt(room);
    room.agree(stagesUpTo('confirmed'));
    expect(session.view.timeline).toMatchObject([{ kind: 'key', agreement: { counts: { pulses: 32_768, finalBits: 256 } } }]);
  });

  it('shows a sent message once, with news of it in its place', async () => {
    session.adopt(room);
    room.admit('Bo');
    const sent = await session.send('hi');
    room.setStatus(sent.id, 'delivered');
    expect(session.view.timeline).toMatchObject([{ kind: 'message', text: 'hi', mine: true, status: 'delivered' }]);
    expect(events.message).toHaveBeenCalledTimes(1);
  });

  it('does not let late news turn a delivered message back', async () => {
    session.adopt(room);
    room.admit('Bo');
    const sent = await session.send('hi');
    room.setStatus(sent.id, 'delivered');
    room.setStatus(sent.id, 'sent');
    expect(session.view.timeline).toMatchObject([{ status: 'delivered' }]);
  });

  it('counts what came unseen, and forgets the count when it is looked at', () => {
    session.adopt(room);
    const bo = room.admit('Bo');
    session.look(false);
    room.receive(bo, 'one');
    room.receive(bo, 'two');
    expect(session.view.unread).toBe(2);
    session.look(true);
    expect(session.view.unread).toBe(0);
  });

  it.each(['failed', 'expired', 'unaddressed'] as const)('sends a message that is %s again at its place', async (status) => {
    session.adopt(room);
    room.admit('Bo');
    const sent = await session.send('lost');
    await session.send('later');
    room.setStatus(sent.id, status);
    expect(session.view.timeline).toMatchObject([{ text: 'lost', status }, { text: 'later' }]);
    await session.resend(sent.id);
    expect(room.calls).toEqual(['send lost', 'send later', `retry ${sent.id}`]);
    expect(session.view.timeline).toMatchObject([{ text: 'lost', status: 'sending' }, { text: 'later' }]);
  });

  it('sends a message that the room does not hold any more anew at the end, and tells of any other failure', async () => {
    session.adopt(room);
    room.admit('Bo');
    const sent = await session.send('lost');
    await session.send('later');
    room.setStatus(sent.id, 'expired');
    room.retryError = new QsecError('RATE_LIMITED', 'later');
    await session.resend(sent.id);
    expect(session.view.notice).toMatchObject({ code: 'RATE_LIMITED' });
    expect(session.view.timeline).toMatchObject([{ text: 'lost', status: 'expired' }, { text: 'later' }]);
    room.retryError = new QsecError('EXPIRED', 'gone');
    await session.resend(sent.id);
    expect(session.view.timeline).toMatchObject([{ text: 'later' }, { text: 'lost', status: 'sending' }]);
  });

  it('tells when someone leaves', () => {
    session.adopt(room);
    const bo = room.admit('Bo');
    room.depart(bo);
    expect(session.view).toMatchObject({ phase: 'waiting', members: [], timeline: [{ kind: 'note', note: 'left', name: 'Bo' }] });
  });

  it('tells apart who calls itself the same, in whatever case, ourselves included', () => {
    session.adopt(room);
    const guest = Object.assign(room.admit('Guest'), { id: '1f'.repeat(16) });
    const other = Object.assign(room.admit('guest '), { id: '2e'.repeat(16) });
    room.admit('ana');
    const called = session.view.members.map(({ name }) => name);
    expect(called).toEqual(['Guest (1f1f)', 'guest (2e2e)', 'ana (ana0)']);
    room.receive(guest, 'which one?');
    expect(session.view.timeline.at(-1)).toMatchObject({ name: called[0] });
    room.depart(other);
    expect(session.view.members.map(({ name }) => name)).toEqual(['Guest', 'ana (ana0)']);
    expect(session.view.timeline.at(-1)).toMatchObject({ note: 'left', name: called[1] });
  });

  it('tells apart who calls itself the same but for what is invisible', () => {
    session.adopt(room);
    Object.assign(room.admit('Zoé'), { id: '1f'.repeat(16) });
    Object.assign(room.admit('Zo\u200cé'), { id: '2e'.repeat(16) });
    room.admit('Bo');
    expect(session.view.members.map(({ name }) => name)).toEqual(['Zoé (1f1f)', 'Zo\u200cé (2e2e)', 'Bo']);
  });

  it('says nothing of somebody who asked to be let in and went away', () => {
    session.adopt(room);
    room.admit('Bo');
    room.depart(room.admit('Eve', undefined, undefined, { waiting: true }));
    expect(session.view.timeline.filter(({ kind }) => kind === 'note')).toEqual([]);
  });

  it('tells who does not have a decision yet, and lets nobody wait for that', async () => {
    session.adopt(room);
    room.setPresence(room.admit('Bo'), 'away');
    room.admit('Cleo');
    let confirm = () => {};
    room.othersConfirm = new Promise((resolve) => {
      confirm = resolve;
    });
    await session.setLocked(true);
    expect(session.view.rules.locked).toBe(true);
    expect(session.view.timeline.filter(({ kind }) => kind === 'note')).toEqual([]);
    confirm();
    await vi.waitFor(() => expect(session.view.timeline.at(-1)).toMatchObject({ kind: 'note', note: 'pending', name: 'Bo' }));
  });

  it('lets somebody in who has the name of a verified member once the person decided who it is', async () => {
    session.adopt(room);
    const bo = room.admit('Bo');
    room.askUnderKnownName(bo);
    const [, asking] = room.members;
    expect(session.view.members[1]).toMatchObject({ waiting: true, changedFrom: { safetyNumber: bo.safetyNumber } });
    await session.approve('e'.repeat(32), 'unverified');
    expect(asking).toMatchObject({ changedFrom: undefined, verified: false, waiting: false });
    expect(room.calls).toEqual([`approve ${'e'.repeat(32)}`]);
  });

  it('tells who is writing, until they are gone', () => {
    session.adopt(room);
    const bo = room.admit('Bo');
    room.setTyping(bo, true);
    expect(session.view.typing).toEqual(['Bo']);
    room.depart(bo);
    expect(session.view.typing).toEqual([]);
  });

  it('repeats "writing" only now and then', () => {
    vi.useFakeTimers();
    session.adopt(room);
    room.admit('Bo');
    session.typing();
    session.typing();
    vi.advanceTimersByTime(3000);
    session.typing();
    expect(room.calls).toEqual(['typing', 'typing']);
  });

  it('tells of a lost connection after two seconds, and counts what waits', async () => {
    vi.useFakeTimers();
    session.adopt(room);
    room.admit('Bo');
    await session.send('later');
    room.setState('reconnecting');
    expect(session.view).toMatchObject({ phase: 'reconnecting', before: 'secure', slow: false });
    vi.advanceTimersByTime(2000);
    expect(session.view.slow).toBe(true);
    expect(queuedCount(session.view.timeline)).toBe(1);
    room.setState('secure');
    expect(session.view).toMatchObject({ phase: 'secure', slow: false });
  });

  it('starts the key agreement again, without the figures of the refused one', () => {
    session.adopt(room);
    room.agree(stagesUpTo('estimation'));
    room.setState('aborted');
    session.retry();
    expect(room.calls).toEqual(['retry']);
    expect(session.view.agreement).toBeUndefined();
  });

  it('says that keys could not be renewed, and that they are new again, but not each time that they are', () => {
    session.adopt(room);
    room.admit('Bo');
    const notes = () =>
      session.view.timeline.flatMap((item) => (item.kind === 'note' && item.note.startsWith('rekey') ? [item] : []));
    room.renewal('rekeyed');
    expect(notes()).toEqual([]);
    room.renewal('rekey-failed');
    room.fail(new QsecError('REKEY_FAILED', 'no'));
    expect(notes()).toMatchObject([{ note: 'rekey-failed', name: 'Bo' }]);
    expect(session.view.notice?.code).toBe('REKEY_FAILED');
    room.renewal('rekeyed');
    room.renewal('rekeyed');
    expect(notes()).toMatchObject([{ note: 'rekey-failed' }, { note: 'rekeyed', name: 'Bo' }]);
    expect(session.view.notice).toBeUndefined();
  });

  it('ends for a newcomer who is refused, and is a notice for the one who made the room', () => {
    session.adopt(room);
    room.fail(new QsecError('HANDSHAKE_FAILED', 'no'));
    expect(session.view).toMatchObject({ phase: 'waiting', notice: { code: 'HANDSHAKE_FAILED' } });

    const other = new FakeRoom();
    other.me = { ...other.me, creator: false };
    session.adopt(other);
    other.fail(new QsecError('HANDSHAKE_FAILED', 'no'));
    expect(session.view).toMatchObject({ phase: 'failed', problem: { code: 'HANDSHAKE_FAILED' } });
  });

  it('keeps silent about a room it no longer shows', () => {
    session.adopt(room);
    session.adopt(new FakeRoom());
    room.setState('closed');
    expect(session.view.phase).toBe('waiting');
  });
});
