import type { FileProgress, Member, SecurityEvent } from '@qsec2/sdk';
import { QsecError } from '@qsec2/sdk';
import type { Recording } from '@qsec2/sdk/voice';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { stageStates } from '../src/store/agreement.logic';
import { calledIn } from '../src/store/called.logic';
import { isRefusal, problemFrom } from '../src/store/problem.logic';
import { Session, type SessionEvents } from '../src/store/session';
import { newest, queuedCount, settle, upsert } from '../src/store/timeline.logic';
import type { MessageItem, TimelineItem } from '../src/store/view';
import { contentOf, FakeRoom } from './fake-room.ts';
import { stagesUpTo } from './fixtures.ts';

const connect = vi.hoisted(() => vi.fn());
vi.mock('../src/store/sdk', () => ({ loadSdk: async () => ({ connect }) }));

let events: { message: Mock<SessionEvents['message']>; error: Mock<SessionEvents['error']> };
let session: Session;
let room: FakeRoom;
let bo: Member;

beforeEach(() => {
  vi.stubGlobal('location', { href: 'https://app.example/' });
  connect.mockReset();
  events = { message: vi.fn(), error: vi.fn() };
  session = new Session(() => ({ relay: 'https://relay.example', keyAgreement: undefined, linkBase: '' }), events);
  room = new FakeRoom();
  room.policy = { ...room.policy, capacity: 4 };
  bo = room.admit('Bo');
  session.adopt(room);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const notes = () => session.view.timeline.flatMap((item) => (item.kind === 'note' ? [[item.note, item.name]] : []));
const messages = () => session.view.timeline.filter((item) => item.kind === 'message');

describe('what is unread', () => {
  it('is nothing that the person is looking at, and nothing that they wrote', async () => {
    session.look(true);
    room.receive(bo, 'seen');
    expect(session.view.unread).toBe(0);
    session.look(false);
    await session.send('my own');
    expect(session.view.unread).toBe(0);
    room.receive(bo, 'unseen');
    expect(session.view.unread).toBe(1);
  });

  it('is not counted again by news of a message', () => {
    session.look(false);
    const { id } = room.receive(bo, 'once');
    room.setStatus(id, 'received');
    expect(session.view.unread).toBe(1);
    expect(events.message).toHaveBeenCalledTimes(1);
  });

  it('changes nothing where there is nothing unread', () => {
    const { view } = session;
    session.look(true);
    expect(session.view).toBe(view);
  });
});

describe('a notice', () => {
  const fail = () => room.fail(new QsecError('RATE_LIMITED', 'slow down'));

  it('stays until there is a key, whatever else changes', () => {
    fail();
    for (const state of ['reconnecting', 'waiting', 'agreeing'] as const) {
      room.setState(state);
      expect(session.view.notice, state).toMatchObject({ code: 'RATE_LIMITED' });
    }
    room.setState('secure');
    expect(session.view.notice).toBeUndefined();
  });

  it('goes when the person dismisses it, with the other invite', async () => {
    fail();
    await session.join('q2.other', 'Ana');
    session.dismiss();
    expect(session.view).toMatchObject({ notice: undefined, otherInvite: undefined });
  });

  it('does not tell of having been let in before there is a key', () => {
    const other = new FakeRoom();
    session.adopt(other);
    other.setState('waiting');
    expect(session.view.entered).toBe(false);
    other.admit('Bo');
    expect(session.view.entered).toBe(true);
  });
});

describe('what the person decides', () => {
  it('reaches the room', async () => {
    await session.approve(bo.id);
    await session.delegate(bo.id, true);
    await session.delegate(bo.id, false);
    await session.setLocked(true);
    expect(session.view.rules.locked).toBe(true);
    await session.setLocked(false);
    expect(session.view.rules.locked).toBe(false);
    await session.removeMember(bo.id);
    expect(room.calls).toEqual([
      `approve ${bo.id}`,
      `delegate ${bo.id} approve lock remove`,
      `delegate ${bo.id}`,
      'lock',
      'unlock',
      `remove ${bo.id}`,
    ]);
    expect(events.error).not.toHaveBeenCalled();
  });

  it.each([
    ['approve', () => session.approve(bo.id)],
    ['removeMember', () => session.removeMember(bo.id)],
    ['delegate', () => session.delegate(bo.id, true)],
    ['lock', () => session.setLocked(true)],
    ['unlock', () => session.setLocked(false)],
  ] as const)('is a notice when the room does not do it: %s', async (method, decide) => {
    vi.spyOn(room, method).mockRejectedValue(new QsecError('NO_ADMIN', 'nobody may'));
    await decide();
    expect(session.view.notice).toMatchObject({ code: 'NO_ADMIN' });
    expect(events.error).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'NO_ADMIN' }));
    expect(session.view.phase).toBe('secure');
  });

  it('about somebody who is gone is nothing', async () => {
    room.depart(bo);
    await session.approve(bo.id);
    await session.removeMember('nobody');
    session.verify('nobody');
    session.accept('nobody');
    expect(room.calls).toEqual([]);
  });

  it('shows at once: who is verified, whose identity is accepted', () => {
    session.verify(bo.id);
    expect(session.view.members).toMatchObject([{ verified: true }]);
    const cy = room.admit('Cy');
    room.change(cy, { changedFrom: { ...bo } });
    expect(session.view.members[1]).toMatchObject({ changedFrom: { name: 'Bo', safetyNumber: bo.safetyNumber } });
    session.accept(cy.id);
    expect(session.view.members[1]?.changedFrom).toBeUndefined();
  });

  it('is ours by what we are: all as the creator, what was given as a delegate, nothing else', () => {
    expect(session.view.rules.may).toEqual({ approve: true, lock: true, remove: true });
    const other = new FakeRoom();
    other.me = { ...other.me, creator: false };
    other.policy = {
      ...other.policy,
      join: 'approve',
      delegates: [
        { id: other.me.id, rights: ['lock'] },
        { id: 'x', rights: ['remove'] },
      ],
    };
    session.adopt(other);
    expect(session.view.rules).toMatchObject({
      approve: true,
      locked: false,
      may: { approve: false, lock: true, remove: false },
    });
  });

  it('shows who decides in our stead', async () => {
    await session.delegate(bo.id, true);
    expect(session.view.members).toMatchObject([{ delegate: true }]);
    await session.delegate(bo.id, false);
    expect(session.view.members).toMatchObject([{ delegate: false }]);
  });
});

describe('leaving', () => {
  it('for another room waits for the heir, and stays when nobody takes over', async () => {
    await session.join('q2.other', 'Ana');
    room.refuseHandOver();
    await session.switchRoom(bo.id);
    expect(session.room).toBe(room);
    expect(connect).not.toHaveBeenCalled();
    expect(session.view).toMatchObject({ notice: { code: 'TIMEOUT' }, otherInvite: 'q2.other' });
  });

  it('for another room goes on with the invite and the name', async () => {
    connect.mockResolvedValue(new FakeRoom());
    await session.join('q2.other', 'Ana');
    await session.switchRoom(bo.id);
    expect(room.calls).toEqual([`leave ${bo.id}`]);
    expect(connect).toHaveBeenCalledWith(expect.objectContaining({ invite: 'q2.other', name: 'Ana' }));
  });

  it('for another room is nothing where none was opened', async () => {
    await session.switchRoom();
    expect(session.room).toBe(room);
  });

  it('does not hand over to somebody who is gone, and stays', async () => {
    expect(await session.leave('nobody')).toBe(false);
    expect(session.room).toBe(room);
  });

  it('keeps the name and nothing else', async () => {
    room.receive(bo, 'old');
    expect(await session.leave()).toBe(true);
    expect(session.view).toMatchObject({ phase: 'setup', name: 'Ana', timeline: [], members: [], link: '', code: '' });
    expect(session.room).toBeUndefined();
  });

  it('is not followed by words of what is slow', async () => {
    vi.useFakeTimers();
    room.setState('reconnecting');
    await session.leave();
    vi.advanceTimersByTime(5000);
    expect(session.view.slow).toBe(false);
  });
});

describe('a refused newcomer', () => {
  it('leaves the room, and the page hears when that fails', async () => {
    const other = new FakeRoom();
    other.me = { ...other.me, creator: false };
    session.adopt(other);
    const leave = vi.spyOn(other, 'leave').mockRejectedValue(new QsecError('TIMEOUT', 'no answer'));
    other.fail(new QsecError('ROOM_FULL', 'full'));
    expect(session.view).toMatchObject({ phase: 'failed', problem: { code: 'ROOM_FULL' } });
    expect(leave).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(events.error).toHaveBeenCalledTimes(2));
    expect(events.error.mock.calls.map(([{ code }]) => code)).toEqual(['ROOM_FULL', 'TIMEOUT']);
  });

  it('is none any more once there was a key', () => {
    const other = new FakeRoom();
    other.me = { ...other.me, creator: false };
    session.adopt(other);
    other.agree(stagesUpTo('confirmed'));
    other.fail(new QsecError('HANDSHAKE_FAILED', 'somebody else'));
    expect(session.view).toMatchObject({ notice: { code: 'HANDSHAKE_FAILED' }, phase: 'waiting' });
  });

  it('of a room that is closed is at its end whoever they are', () => {
    room.state = 'closed';
    room.fail(new QsecError('REMOVED', 'removed'));
    expect(session.view).toMatchObject({ phase: 'failed', problem: { code: 'REMOVED' } });
  });

  it.each([
    'INVITE_INVALID',
    'ROOM_FULL',
    'ROOM_NOT_FOUND',
    'ROOM_LOCKED',
    'REMOVED',
    'NOT_ADMITTED',
    'HANDSHAKE_FAILED',
  ] as const)('is refused by %s, and a member is not', (code) => {
    const problem = problemFrom(new QsecError(code, ''));
    expect([isRefusal(problem, true), isRefusal(problem, false)]).toEqual([true, false]);
  });

  it('goes on after what may pass', () => {
    expect(isRefusal(problemFrom(new QsecError('RATE_LIMITED', '')), true)).toBe(false);
  });
});

describe('a room that was open before', () => {
  it('is shown with its history, whose files can be fetched', async () => {
    const other = new FakeRoom();
    const cy = other.admit('Cy');
    other.receive(cy, 'hello');
    other.sendAt('mine', new Date(0), 'delivered');
    const blob = new Blob(['abc'], { type: 'text/plain' });
    other.receiveFile(cy, contentOf(blob, 'a.txt', 'text/plain'));
    session.look(false);
    session.adopt(other);
    expect(messages()).toMatchObject([
      { text: 'hello', mine: false, author: cy.id, name: 'Cy', status: 'received' },
      { text: 'mine', mine: true, author: 'me', name: 'Ana', status: 'delivered', at: new Date(0) },
      { text: '', file: { name: 'a.txt', type: 'text/plain', size: 3 } },
    ]);
    expect(await messages()[2]?.file?.blob()).toBe(blob);
    expect(session.view.unread).toBe(0);
    expect(events.message).not.toHaveBeenCalled();
  });

  it('is not opened again by being given once more', () => {
    const { view } = session;
    session.adopt(room);
    expect(session.view).toBe(view);
  });

  it('shows what it is', () => {
    const other = new FakeRoom();
    other.policy = { ...other.policy, name: 'Review', capacity: 5 };
    session.adopt(other);
    expect(session.view).toMatchObject({
      roomName: 'Review',
      capacity: 5,
      creator: true,
      name: 'Ana',
      phase: 'waiting',
      before: 'waiting',
    });
  });
});

describe('what happens in a room', () => {
  const tell = (event: Omit<SecurityEvent, 'status'>) => {
    const emitter = room as unknown as { tellSecurity(event: SecurityEvent): void };
    emitter.tellSecurity({ ...event, status: room.security } as SecurityEvent);
  };

  it('is noted: who was verified, whom the creator has not vouched for, whose messages are missing', () => {
    bo.verify();
    tell({ kind: 'unattested', member: bo });
    tell({ kind: 'no-admin' } as Omit<SecurityEvent, 'status'>);
    room.comeUnderKnownName();
    room.missMessages(bo);
    room.missMessages(undefined);
    expect(notes()).toEqual([
      ['verified', 'Bo'],
      ['unattested', 'Bo'],
      ['no-admin', ''],
      ['known-name', 'Bo'],
      ['gap', 'Bo'],
      ['gap', ''],
    ]);
    expect(new Set(session.view.timeline.map(({ id }) => id)).size).toBe(6);
  });

  it('is told once of a removal: by what happened, not by their being gone', async () => {
    await room.removeMember(bo);
    expect(notes()).toEqual([['removed', 'Bo']]);
  });

  it('is told once of a removal that is heard before they are gone', () => {
    tell({ kind: 'member-removed', member: bo });
    room.depart(bo);
    expect(notes()).toEqual([['removed', 'Bo']]);
  });

  it('names the removed as they were called while somebody else was called the same', async () => {
    const other = Object.assign(room.admit('Bo'), { id: 'c'.repeat(32) });
    const called = session.view.members.map(({ name }) => name);
    await room.removeMember(other);
    expect(notes()).toEqual([['removed', called[1]]]);
  });

  it('leaves what is known of others who left', async () => {
    const cy = room.admit('Cy');
    room.depart(cy);
    await room.removeMember(bo);
    expect(notes()).toEqual([
      ['left', 'Cy'],
      ['removed', 'Bo'],
    ]);
  });

  it('is not told of without a member', () => {
    tell({ kind: 'member-removed', member: undefined } as unknown as Omit<SecurityEvent, 'status'>);
    expect(notes()).toEqual([]);
  });

  it('is a key with its figures when one is confirmed, and only then', () => {
    room.agree(stagesUpTo('amplification'));
    expect(session.view.timeline).toEqual([]);
    expect(session.view.agreement).toMatchObject({ outcome: 'running' });
    room.agree(stagesUpTo('confirmed').slice(-1));
    expect(session.view.timeline).toMatchObject([{ kind: 'key', agreement: { outcome: 'confirmed' } }]);
  });

  it('shows the protection as it is', () => {
    expect(session.view.security).toMatchObject({ verified: false });
    bo.verify();
    expect(session.view.security).toMatchObject({ verified: true });
  });

  it('shows who writes, each once, until they stop', () => {
    const cy = room.admit('Cy');
    room.setTyping(bo, true);
    room.setTyping(bo, true);
    room.setTyping(cy, true);
    expect(session.view.typing).toEqual(['Bo', 'Cy']);
    room.setTyping(bo, false);
    expect(session.view.typing).toEqual(['Cy']);
  });

  it('leaves what is sent to be told by what sends it', () => {
    const { id } = room.receiveFile(bo, contentOf(new Blob(['abc']), 'a.txt', 'text/plain'));
    const facts = { transfer: '0', message: id, name: 'a.txt', total: 3, done: 1, state: 'running' } as const;
    room.progress({ ...facts, direction: 'send' } as FileProgress);
    expect(messages()[0]?.done).toBeUndefined();
    room.progress({ ...facts, direction: 'receive', message: 'another' } as FileProgress);
    expect(messages()).toHaveLength(1);
  });
});

describe('sending', () => {
  it('needs a room', async () => {
    await session.leave();
    await expect(session.send('lost')).rejects.toThrow('no open room');
  });

  it('lets "writing" be told again at once after a message', async () => {
    vi.useFakeTimers();
    session.typing();
    await session.send('hi');
    session.typing();
    expect(room.calls).toEqual(['typing', 'send hi', 'typing']);
  });

  it('tells nobody of writing where nobody could read', () => {
    room.setState('waiting');
    session.typing();
    expect(room.calls).toEqual([]);
  });

  it('hands a recording over as the recording that it is', async () => {
    const recording = {
      prepared: {},
      blob: new Blob(['abc']),
      type: 'audio/webm',
      durationMs: 900,
      peaks: [0.5],
    } as unknown as Recording;
    const sendVoice = vi.spyOn(room, 'sendVoice');
    void session.sendVoice(recording);
    await vi.waitFor(() => expect(sendVoice).toHaveBeenCalled());
    expect(sendVoice.mock.calls[0]?.[0]).toBe(recording);
    expect(messages()).toMatchObject([
      { mine: true, status: 'sending', file: { name: 'voice', voice: { durationMs: 900, peaks: [0.5] } } },
    ]);
  });

  it('sends a voice message anew from what is left of it: its sound, length and loudness', async () => {
    const sendVoice = vi.spyOn(room, 'sendVoice');
    const blob = new Blob(['abc']);
    void session.sendFile({ blob, name: 'voice', type: 'audio/webm', voice: { durationMs: 900, peaks: [0.5] } });
    await vi.waitFor(() => expect(sendVoice).toHaveBeenCalled());
    expect(sendVoice).toHaveBeenCalledWith(blob, expect.objectContaining({ durationMs: 900, peaks: [0.5], type: 'audio/webm' }));
  });

  it('sends a picture without a small one where none can be drawn', async () => {
    const sendFile = vi.spyOn(room, 'sendFile');
    void session.sendFile({ blob: new Blob(['abc']), name: 'a.png', type: 'image/png' });
    await vi.waitFor(() => expect(sendFile).toHaveBeenCalled());
    expect(sendFile.mock.calls[0]?.[1]).toMatchObject({ name: 'a.png', type: 'image/png' });
    expect(sendFile.mock.calls[0]?.[1]).not.toHaveProperty('thumbnail');
  });

  it('takes a message off the screen, and only that one', () => {
    const first = room.receive(bo, 'one');
    room.receive(bo, 'two');
    session.discard(first.id);
    expect(messages()).toMatchObject([{ text: 'two' }]);
  });

  it('sends nothing anew that is not there', async () => {
    await session.resend('nothing');
    expect(room.calls).toEqual([]);
  });

  it('asks the room to reconnect', () => {
    session.reconnect();
    expect(room.calls).toEqual(['reconnect']);
  });

  it('tells the page of a file that arrived with the relay', async () => {
    const sending = session.sendFile({ blob: new Blob(['abc']), name: 'a.txt', type: 'text/plain' });
    await vi.waitFor(() => expect(room.uploads).toHaveLength(1));
    room.uploads[0]?.finish();
    await sending;
    expect(events.message).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ kind: 'file' }));
  });
});

describe('a failure', () => {
  it('is told by its code, and without one as a browser that cannot run it', () => {
    expect(problemFrom(new QsecError('ROOM_FULL', 'full'))).toMatchObject({ code: 'ROOM_FULL', message: 'full' });
    expect(problemFrom(Object.assign(new Error('half'), { code: 'ROOM_FULL' }))).toMatchObject({
      code: 'UNSUPPORTED',
      message: 'half',
    });
    expect(problemFrom({ code: 'ROOM_FULL', remediation: '' })).toMatchObject({ code: 'UNSUPPORTED' });
    expect(problemFrom('text')).toEqual({ code: 'UNSUPPORTED', message: 'text', remediation: '' });
  });
});

describe('an exchange that was refused', () => {
  it.each([
    ['QBER_EXCEEDED', 'estimation'],
    ['RECONCILIATION_FAILED', 'reconciliation'],
    ['VERIFICATION_FAILED', 'verification'],
    ['KEY_TOO_SHORT', 'amplification'],
  ] as const)('by %s stopped at %s, whatever was told before', (code, stopped) => {
    room.agree(stagesUpTo('pulses'));
    const { agreement } = session.view;
    if (!agreement) throw new Error('an agreement was told of');
    const problem = { code, message: '', remediation: '' };
    const states = stageStates({ ...agreement, outcome: 'aborted', problem });
    expect(states.filter(({ state }) => state === 'stopped')).toEqual([{ stage: stopped, state: 'stopped' }]);
  });
});

describe('the timeline', () => {
  const message = (id: string, change: Partial<MessageItem> = {}): MessageItem => ({
    kind: 'message',
    id,
    at: new Date(0),
    mine: true,
    author: 'me',
    name: 'Ana',
    text: id,
    status: 'sending',
    ...change,
  });

  it('keeps the newest ten thousand', () => {
    const full = Array.from({ length: 10_000 }, (_, i) => message(String(i)));
    const more = upsert(full, message('newest'));
    expect(more).toHaveLength(10_000);
    expect([more[0]?.id, more.at(-1)?.id]).toEqual(['1', 'newest']);
    expect(upsert(full, message('0', { text: 'changed' }))[0]).toMatchObject({ text: 'changed' });
  });

  it('shows a file that was sent once, where it stood, though news of it came first', () => {
    const upload = message('upload-1', {
      file: { name: 'a', type: '', size: 1, voice: undefined, blob: async () => new Blob() },
      done: 1,
    });
    const news = message('final', { status: 'delivered' });
    const settled = settle([upload, message('between'), news], upload, message('final', { status: 'sent' }));
    expect(settled).toMatchObject([{ id: 'final', place: 'upload-1', status: 'delivered', done: undefined }, { id: 'between' }]);
    expect((settled[0] as MessageItem).file).toBe(upload.file);
  });

  it('never takes back how far a message came', () => {
    const order = ['sending', 'failed', 'sent', 'delivered', 'read'] as const;
    for (const [i, known] of order.entries())
      for (const [j, told] of order.entries()) {
        const status = known as MessageItem['status'];
        const { status: shown } = newest(message('1', { status }), message('1', { status: told as MessageItem['status'] }));
        expect(shown, `${known}, then ${told}`).toBe(order[Math.max(i, j)]);
      }
  });

  it('counts what of ours still waits', () => {
    const note: TimelineItem = { kind: 'note', id: 'n', at: new Date(0), note: 'joined', name: '' };
    const all = [message('1'), message('2', { status: 'sent' }), message('3', { mine: false }), note, message('4')];
    expect(queuedCount(all)).toBe(2);
  });
});

describe('what a member is called', () => {
  const me = { id: 'a', name: 'Ana' };
  const called = (name: string, others: readonly string[]) =>
    calledIn(
      { me, members: others.map((other, i) => ({ id: `member${i}`, name: other })) } as unknown as Parameters<typeof calledIn>[0],
      { id: 'bbbbbb', name },
    );

  it('is their name, with the beginning of their fingerprint where somebody else has it', () => {
    expect(called('Bo', ['Cy'])).toBe('Bo');
    expect(called('Bo', ['bo '])).toBe('Bo (bbbb)');
    expect(called('Ana', [])).toBe('Ana (bbbb)');
    expect(called('Ｂo', ['Bo'])).toBe('Ｂo (bbbb)');
  });

  it('stays empty where they gave none, however many gave none', () => {
    expect(called('', ['', ''])).toBe('');
  });
});
