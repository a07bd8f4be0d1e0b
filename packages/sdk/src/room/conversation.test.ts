import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { Emitter } from '../events.ts';
import { decodePairContent, type PairContent } from '../protocol/content.ts';
import { decodeFrame } from '../protocol/frame.ts';
import { type ActionHead, decodeGroupContent, encodeGroupContent, type GroupContent } from '../protocol/group-content.ts';
import { fingerprint, generateSigningKey, type SigningKey } from '../protocol/identity.ts';
import { messageId } from '../protocol/message-id.ts';
import { randomBytes } from '../protocol/random.ts';
import type { ReceiverKey } from '../protocol/sender-key.ts';
import type { Kept } from '../storage/kept.ts';
import { type Bytes, toBase64url } from '../wire/index.ts';
import type { RoomContext } from './context.ts';
import { Conversation } from './conversation.ts';
import { Directory } from './directory.ts';
import type { Files } from './files.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import { hex } from './text.ts';
import type { RoomEvents } from './types.ts';

/** What is said in a room, apart from the room: nothing is sealed here. The clock is false. */

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_000_000 }));
const made: Conversation[] = [];
afterEach(() => {
  for (const conversation of made.splice(0)) conversation.close();
  vi.useRealTimers();
});

let ana: SigningKey;
let identities: SigningKey[];
beforeAll(async () => {
  ana = await generateSigningKey();
  identities = [await generateSigningKey(), await generateSigningKey()];
});

function person(number: number, fields: Partial<Peer> = {}): Peer & { own: SigningKey } {
  const own = identities[number] as SigningKey;
  const print = fingerprint(own.publicKey);
  const state = { presence: 'present', trusted: true, waiting: false, epoch: 1, heardAt: 0, name: `Person ${number}` };
  const keys = { receiverKeysFor: () => [], claims: () => false, recall: () => undefined };
  return {
    own,
    identityKey: own.publicKey,
    fingerprint: print,
    id: hex(print),
    seat: new Uint8Array(16).fill(number),
    ...state,
    ...keys,
    ...fields,
  } as never;
}

interface Options {
  peers?: Peer[];
  expected?: string[];
  kept?: Partial<Kept>;
  /** When what is handed over is stored, if anything is. */
  seen?: () => Promise<void> | undefined;
}

function talk({ peers = [], expected = [], kept, seen = () => undefined }: Options = {}) {
  const log = {
    group: [] as { content: GroupContent; transient: boolean }[],
    pair: [] as { to: string; content: PairContent }[],
    faults: [] as unknown[],
    said: [] as string[],
    counted: 0,
    renamed: [] as string[],
    stored: 0,
    withdrawn: 0,
    outgoing: new Map<string, unknown>(),
    dropped: [] as string[],
    keptMessages: [] as string[],
  };
  const answers: { resolve: () => void; reject: (error: unknown) => void; wanted: () => boolean }[] = [];
  const tasks: Promise<void>[] = [];
  const events = new Emitter<RoomEvents>();
  const opened = (frame: Bytes) => decodeGroupContent(decodeFrame(frame).content);
  const context = {
    events,
    identity: ana,
    me: { name: 'Ana' },
    logger: (level: string, message: string) => log.said.push(`${level} ${message}`),
    enqueue: (task: () => Promise<void>) => void tasks.push(task()),
    fault: (error: unknown) => log.faults.push(error),
    push: (frame: Bytes, _: unknown, transient = false) => log.group.push({ content: opened(frame), transient }),
    session: {
      joined: true,
      limits: { retentionMs: 60_000 },
      push: (frame: Bytes, { wanted }: { wanted: () => boolean }) => {
        log.group.push({ content: opened(frame), transient: false });
        return new Promise<void>((resolve, reject) => answers.push({ resolve, reject, wanted }));
      },
    },
    keeping: {
      kept,
      room: async () => void log.stored++,
      message: (message: () => { id: string }) => log.keptMessages.push(message().id),
      dropMessage: (id: string) => log.dropped.push(id),
      outgoing: (id: string, outgoing: unknown) => log.outgoing.set(id, outgoing),
      seen,
      dropSeen: () => undefined,
    },
  };
  const directory = new Directory([], () => false);
  for (const peer of peers) directory.note(peer);
  const membership = {
    get peers() {
      return peers;
    },
    get audience() {
      return peers.filter(({ trusted }) => trusted);
    },
    get expected() {
      return expected;
    },
    ownFingerprint: fingerprint(ana.publicKey),
    rosterHash: () => new Uint8Array(32),
    rosterChangedAt: 0,
    epochs: { number: 1, startedAt: new Date(), current: async () => ({ epoch: 1, seal: async (content: Bytes) => content }) },
    sendToPeer: async ({ id }: Peer, content: Bytes) => void log.pair.push({ to: id, content: decodePairContent(content) }),
    countMessage: () => void log.counted++,
    rename: ({ id }: Peer, name: string) => log.renamed.push(`${id} ${name}`),
    announceAgain: async () => undefined,
    tell: () => undefined,
  };
  const files = { withdraw: () => void log.withdrawn++, shown: () => ({ name: 'file' }), shownVoice: () => ({ name: 'voice' }) };
  const conversation = new Conversation(
    context as unknown as RoomContext,
    membership as unknown as Membership,
    files as unknown as Files,
    directory,
  );
  made.push(conversation);
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    while (tasks.length > 0) await Promise.all(tasks.splice(0));
    await vi.advanceTimersByTimeAsync(0);
  };
  const status = (id: string) => conversation.history().find((message) => message.id === id)?.status;
  const texts = () => conversation.history().map(({ text }) => text);
  /** What went to one member alone since this was asked last. */
  const told = (kind?: PairContent['kind']) => log.pair.splice(0).filter(({ content }) => !kind || content.kind === kind);
  return { conversation, context, log, answers, events, pass, status, texts, told, peers };
}

let numbers = 0;
const head = (index: number): ActionHead => ({ id: Uint8Array.from({ length: 16 }, () => ++numbers & 0xff), index, sentAt: 5 });
const text = (index: number, said = 'hi') => ({ kind: 'text' as const, ...head(index), text: said });
const nameOf = (by: Peer, { id }: ActionHead) => messageId(by.identityKey, id);

describe('a message of ours', () => {
  it('goes to who is here, and is "sent" once the relay has it', async () => {
    const bo = person(0);
    const { conversation, log, answers, status, pass } = talk({ peers: [bo] });
    const { id } = await conversation.send({ kind: 'text', text: 'hello' }, {});
    expect(status(id)).toBe('sending');
    expect(log.group).toEqual([
      { content: expect.objectContaining({ kind: 'text', text: 'hello', index: 0 }), transient: false },
    ]);
    expect([log.counted, log.stored, conversation.sent]).toEqual([1, 1, 1]);
    expect(answers[0]?.wanted()).toBe(true);
    answers[0]?.resolve();
    await pass(0);
    expect([status(id), answers[0]?.wanted()]).toEqual(['sent', false]);
    const [{ content }] = log.group as unknown as [{ content: ActionHead }];
    conversation.confirmed([messageId(ana.publicKey, content.id)], bo);
    expect(status(id)).toBe('delivered');
  });

  it('that the relay refuses has failed, and that is told, unless the room was left', async () => {
    for (const [error, faults] of [
      [new QsecError('RATE_LIMITED', 'full'), 1],
      [new QsecError('CLOSED', 'left'), 0],
    ] as const) {
      const { conversation, log, answers, status, pass } = talk({ peers: [person(0)] });
      const { id } = await conversation.send({ kind: 'text', text: 'hello' }, {});
      answers[0]?.reject(error);
      await pass(0);
      expect([status(id), log.faults.length]).toEqual(['failed', faults]);
    }
  });

  it('waits where somebody is coming, and is for nobody where nobody is', async () => {
    const seat = toBase64url(new Uint8Array(16).fill(9));
    const coming = talk({ expected: [seat] });
    const { id } = await coming.conversation.send({ kind: 'text', text: 'hello' }, {});
    expect([coming.status(id), coming.log.group, coming.log.counted]).toEqual(['sending', [], 0]);
    const bo = person(0);
    coming.peers.push(bo);
    coming.conversation.claim(seat, bo);
    await coming.conversation.resend(bo);
    expect(coming.told().map(({ to, content: { kind } }) => [to, kind])).toEqual([[bo.id, 'resend']]);
    const alone = talk();
    const sent = await alone.conversation.send({ kind: 'text', text: 'hello' }, {});
    expect([sent.status, alone.status(sent.id)]).toEqual(['unaddressed', 'unaddressed']);
    const released = talk({ expected: [seat] });
    const other = await released.conversation.send({ kind: 'text', text: 'hello' }, {});
    released.conversation.release(seat);
    expect(released.status(other.id)).toBe('unaddressed');
  });

  it('is for members, not for who is coming, where a member is here', async () => {
    const seat = toBase64url(new Uint8Array(16).fill(9));
    const { conversation, told, peers } = talk({ peers: [person(0)], expected: [seat] });
    await conversation.send({ kind: 'text', text: 'hello' }, {});
    const cy = person(1);
    peers.push(cy);
    conversation.claim(seat, cy);
    await conversation.resend(cy);
    expect(told()).toEqual([]);
  });

  it('is sealed again for who has not confirmed it, each part in its order, and no more once it is', async () => {
    const bo = person(0);
    const { conversation, told, log } = talk({ peers: [bo] });
    const { id } = await conversation.send({ kind: 'text', text: 'hello' }, {});
    await conversation.amend(id, { kind: 'edit', text: 'hello!' });
    expect(conversation.firstFor(bo.id)).toBe(0);
    await conversation.resend(bo);
    expect(told().map(({ content }) => decodeGroupContent((content as { content: Bytes }).content).kind)).toEqual([
      'text',
      'edit',
    ]);
    const ids = log.group.map(({ content }) => messageId(ana.publicKey, (content as unknown as ActionHead).id));
    conversation.wereRead(ids, bo);
    await conversation.resend(bo);
    expect([told(), conversation.firstFor(bo.id), conversation.firstFor('nobody')]).toEqual([[], 2, 2]);
    expect(conversation.history()[0]?.status).toBe('read');
  });

  it('that is taken back before the relay has it does not go out; what removes it does, in its place', async () => {
    const { conversation, log, answers, pass } = talk({ peers: [person(0)] });
    const { id } = await conversation.send({ kind: 'text', text: 'hello' }, {});
    await conversation.amend(id, { kind: 'remove' });
    await pass(0);
    expect(answers[0]?.wanted()).toBe(false);
    const blank = log.group.slice(1).map(({ content }) => content as ActionHead & { kind: string });
    expect(blank.map(({ kind, index }) => [kind, index]).sort()).toEqual([
      ['remove', 0],
      ['remove', 1],
    ]);
    expect(conversation.history()).toMatchObject([{ id, gone: 'removed' }]);
  });

  it('that is a file has it taken back from the relay as well', async () => {
    const attachment = {
      id: randomBytes(16),
      secret: randomBytes(32),
      commitment: randomBytes(32),
      digest: randomBytes(32),
      size: 5,
      name: 'a',
      type: 'b',
      thumbnail: new Uint8Array(0),
    };
    const { conversation, log } = talk({ peers: [person(0)] });
    const { id } = await conversation.send({ kind: 'file', attachment }, {});
    const { id: plain } = await conversation.send({ kind: 'text', text: 'hello' }, {});
    await conversation.amend(plain, { kind: 'remove' });
    expect(log.withdrawn).toBe(0);
    await conversation.amend(id, { kind: 'remove' });
    expect(log.withdrawn).toBe(1);
  });

  it('that disappears is sent by nobody any more', async () => {
    const bo = person(0);
    const { conversation, answers, told, pass, log } = talk({ peers: [bo] });
    const { id } = await conversation.send({ kind: 'text', text: 'secret' }, { expiresInMs: 1_000.4 });
    expect(conversation.history()[0]?.expiresAt).toEqual(new Date(Date.now() + 1_000));
    await pass(1_000);
    expect([answers[0]?.wanted(), conversation.history(), log.dropped]).toEqual([false, [], [id]]);
    await conversation.resend(bo);
    expect(told().map(({ content }) => decodeGroupContent((content as { content: Bytes }).content).kind)).not.toContain('text');
  });

  it('is sent again to who lacks it, and for who came since', async () => {
    const bo = person(0);
    const { conversation, told, status, peers } = talk();
    const { id } = await conversation.send({ kind: 'text', text: 'hello' }, {});
    peers.push(bo);
    await conversation.retry(id);
    expect(told().map(({ to, content: { kind } }) => [to, kind])).toEqual([[bo.id, 'resend']]);
    expect(status(id)).toBe('sent');
  });
});

describe('a message of another member', () => {
  it('is shown, counted and confirmed, once, however often it comes', async () => {
    const bo = person(0);
    const { conversation, texts, told, pass, log, events } = talk({ peers: [bo] });
    const shown = vi.fn();
    events.on('message', shown);
    conversation.announced(bo, 0);
    const content = text(0);
    for (let time = 0; time < 2; time++) await conversation.receiveContent(bo, encodeGroupContent(content));
    await pass(20);
    expect([texts(), shown.mock.calls.length, log.counted]).toEqual([['hi'], 1, 1]);
    expect(told('receipt').map(({ to, content: receipt }) => [to, receipt])).toEqual([
      [bo.id, { kind: 'receipt', ids: [nameOf(bo, content), nameOf(bo, content)] }],
    ]);
  });

  it('is confirmed once it is stored, where anything is, and not after the room was left', async () => {
    for (const left of [false, true]) {
      const bo = person(0);
      let stored: () => void = () => undefined;
      const { conversation, told, pass } = talk({
        peers: [bo],
        seen: () =>
          new Promise((resolve) => {
            stored = resolve;
          }),
      });
      conversation.announced(bo, 0);
      await conversation.receiveContent(bo, encodeGroupContent(text(0)));
      await pass(1_000);
      expect(told('receipt')).toEqual([]);
      if (left) conversation.close();
      stored();
      await pass(1_000);
      expect(told('receipt')).toHaveLength(left ? 0 : 1);
    }
  });

  it('ends that it is shown as typing', async () => {
    const bo = person(0);
    const { conversation, events } = talk({ peers: [bo] });
    const told: boolean[] = [];
    events.on('typing', ({ typing }) => told.push(typing));
    conversation.announced(bo, 0);
    await conversation.receiveContent(bo, encodeGroupContent({ kind: 'typing' }));
    expect(told).toEqual([true]);
    await conversation.receiveContent(bo, encodeGroupContent(text(0)));
    expect(told).toEqual([true, false]);
  });

  it('is changed by what its author sent since, and reacted to with an emoji and nothing else', async () => {
    const [bo, cy] = [person(0), person(1)];
    const { conversation, log } = talk({ peers: [bo, cy] });
    for (const peer of [bo, cy]) conversation.announced(peer, 0);
    const content = text(0);
    const target = nameOf(bo, content);
    await conversation.receiveContent(bo, encodeGroupContent(content));
    await conversation.receiveContent(bo, encodeGroupContent({ kind: 'edit', ...head(1), target, text: 'hello' }));
    await conversation.receiveContent(cy, encodeGroupContent({ kind: 'edit', ...head(0), target, text: 'mine' }));
    await conversation.receiveContent(cy, encodeGroupContent({ kind: 'reaction', ...head(1), target, emoji: '👍' }));
    await conversation.receiveContent(bo, encodeGroupContent({ kind: 'reaction', ...head(2), target, emoji: 'click here' }));
    expect(conversation.history()).toMatchObject([{ text: 'hello', reactions: [{ emoji: '👍', by: [{ id: cy.id }] }] }]);
    expect(log.said).toEqual(['info ignored a reaction that is no emoji']);
    await conversation.receiveContent(cy, encodeGroupContent({ kind: 'reaction', ...head(2), target, emoji: '' }));
    expect(conversation.history()[0]?.reactions).toEqual([]);
  });

  it('of a kind that is not known yet is confirmed, so that nothing waits for it, and a signal is not', async () => {
    const bo = person(0);
    const { conversation, log, texts, told, pass } = talk({ peers: [bo] });
    conversation.announced(bo, 0);
    const unknown = encodeGroupContent(text(0));
    unknown[0] = 100;
    await conversation.receiveContent(bo, unknown);
    await conversation.receiveContent(bo, encodeGroupContent(text(1, 'next')));
    await conversation.receiveContent(bo, Uint8Array.of(0xf0));
    await pass(20);
    expect([texts(), log.said]).toEqual([['next'], Array(2).fill('info ignored a message of an unknown kind')]);
    expect(told('receipt')).toMatchObject([{ content: { ids: { length: 2 } } }]);
  });

  it('is told of as read to its author, once, and again when it is back under new keys', async () => {
    const bo = person(0);
    const { conversation, told, pass } = talk({ peers: [bo] });
    conversation.announced(bo, 0);
    const content = text(0);
    await conversation.receiveContent(bo, encodeGroupContent(content));
    await pass(20);
    const id = hex(nameOf(bo, content));
    for (let time = 0; time < 2; time++) conversation.read(id);
    await pass(20);
    expect(told('read')).toEqual([{ to: bo.id, content: { kind: 'read', ids: [nameOf(bo, content)] } }]);
    await conversation.welcome(bo);
    await pass(20);
    expect(told('read')).toHaveLength(1);
  });

  it('of who is gone is read without a word to anybody', async () => {
    const bo = person(0);
    const { conversation, told, pass, peers } = talk({ peers: [bo] });
    conversation.announced(bo, 0);
    const content = text(0);
    await conversation.receiveContent(bo, encodeGroupContent(content));
    peers.pop();
    conversation.read(hex(nameOf(bo, content)));
    await pass(20);
    expect(told('read')).toEqual([]);
  });

  it('brings a new name, which nobody confirms', async () => {
    const bo = person(0);
    const { conversation, log, told, pass } = talk({ peers: [bo] });
    await conversation.receiveContent(bo, encodeGroupContent({ kind: 'profile', name: 'Robert' }));
    await pass(20);
    expect([log.renamed, told()]).toEqual([[`${bo.id} Robert`], []]);
  });
});

describe('a group frame', () => {
  /** A key that opens frames to what they are, or refuses them. */
  const key = (open: () => Promise<Bytes>) => ({ open }) as unknown as ReceiverKey;
  const refuse = () => Promise.reject(new QsecError('HANDSHAKE_FAILED', 'not its signature'));
  const seat = toBase64url(new Uint8Array(16));

  it('that two keys claim is of the one whose signature it carries', async () => {
    const content = encodeGroupContent(text(0));
    const [bo, cy] = [
      person(0, { receiverKeysFor: () => [key(refuse)] }),
      person(1, { receiverKeysFor: () => [key(async () => content)] }),
    ];
    const { conversation } = talk({ peers: [bo, cy] });
    for (const peer of [bo, cy]) conversation.announced(peer, 0);
    await conversation.receiveFrame(seat, new Uint8Array(9));
    expect(conversation.history().map(({ from }) => (from as Peer).id)).toEqual([cy.id]);
    expect([bo.heardAt, cy.heardAt]).toEqual([0, Date.now()]);
  });

  it('that nobody signed is refused, and a fault of ours is not taken for that', async () => {
    const refused = talk({ peers: [person(0, { receiverKeysFor: () => [key(refuse), key(refuse)] })] });
    await expect(refused.conversation.receiveFrame(seat, new Uint8Array(9))).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    const fault = () => Promise.reject(new TypeError('broken'));
    const broken = talk({
      peers: [person(0, { receiverKeysFor: () => [key(fault), key(async () => encodeGroupContent(text(0)))] })],
    });
    await expect(broken.conversation.receiveFrame(seat, new Uint8Array(9))).rejects.toThrow('broken');
  });

  it('whose signature was checked before its turn is not opened again', async () => {
    const content = encodeGroupContent(text(0));
    const early = { open: refuse, expect: () => async () => content } as unknown as ReceiverKey;
    const bo = person(0, { receiverKeysFor: () => [early] });
    const { conversation, texts } = talk({ peers: [bo] });
    conversation.announced(bo, 0);
    const frame = new Uint8Array(9);
    await conversation.receiveFrame(seat, frame, conversation.expect(frame));
    expect(texts()).toEqual(['hi']);
  });

  it('of an epoch that is not known waits, and says so to the others soon', async () => {
    const bo = person(0);
    const { conversation, texts, log, pass } = talk({ peers: [bo] });
    await conversation.receiveFrame(seat, new Uint8Array(9));
    await pass(1_000);
    expect(log.group.map(({ content: { kind }, transient }) => [kind, transient])).toEqual([['heartbeat', true]]);
    const content = encodeGroupContent(text(0));
    Object.assign(bo, { receiverKeysFor: () => [key(async () => content)] });
    await conversation.announced(bo, 0);
    expect(texts()).toEqual(['hi']);
    log.group.length = 0;
    await pass(10_000);
    expect(log.group).toEqual([]);
  });

  it('of who is not let in does not wait: it comes again once it is', async () => {
    const cy = person(1, { waiting: true, trusted: false, claims: () => true });
    const { conversation, log, pass, texts } = talk({ peers: [person(0), cy] });
    await conversation.receiveFrame(seat, new Uint8Array(9));
    await pass(2_000);
    expect(log.group).toEqual([]);
    Object.assign(cy, { receiverKeysFor: () => [key(async () => encodeGroupContent(text(0)))] });
    await conversation.announced(cy, 0);
    expect(texts()).toEqual([]);
  });

  it('that waited and is forged costs none of the others', async () => {
    const bo = person(0);
    const { conversation, texts, log } = talk({ peers: [bo] });
    for (const first of [1, 2]) await conversation.receiveFrame(seat, new Uint8Array(9).fill(first));
    const content = encodeGroupContent(text(0));
    const opens = { open: async ([first]: Bytes) => (first === 1 ? refuse() : content) } as unknown as ReceiverKey;
    Object.assign(bo, { receiverKeysFor: () => [opens] });
    await conversation.announced(bo, 0);
    expect([texts(), log.said]).toEqual([['hi'], ['warn a frame that waited was refused: not its signature']]);
    await conversation.receiveFrame(seat, new Uint8Array(9));
    const other = talk({ peers: [person(0)] });
    await other.conversation.receiveFrame(seat, new Uint8Array(9));
    Object.assign(other.peers[0] as Peer, { receiverKeysFor: () => [key(() => Promise.reject(new TypeError('broken')))] });
    await expect(other.conversation.announced(other.peers[0] as Peer, 0)).rejects.toThrow('broken');
  });
});

describe('that we are typing', () => {
  it('is said every two seconds at most, and passes', async () => {
    const { conversation, log, pass } = talk({ peers: [person(0)] });
    await conversation.sendTyping();
    await conversation.sendTyping();
    expect(log.group).toEqual([{ content: { kind: 'typing' }, transient: true }]);
    await pass(2_000);
    await conversation.sendTyping();
    expect(log.group).toHaveLength(2);
  });
});

describe('our new name', () => {
  it('is told to who is here, where anybody is, and stays in the relay’s log for who is away', async () => {
    const { conversation, log } = talk({ peers: [person(0)] });
    await conversation.sendProfile();
    expect(log.group).toEqual([{ content: { kind: 'profile', name: 'Ana' }, transient: false }]);
    const alone = talk({ peers: [person(0, { trusted: false })] });
    await alone.conversation.sendProfile();
    expect(alone.log.group).toEqual([]);
  });
});

describe('a conversation that is taken up after a reload', () => {
  const message = (id: string, fields = {}) => ({
    id,
    author: 'me',
    kind: 'text' as const,
    order: 0,
    index: 0,
    sentAt: 5,
    unread: [],
    someoneRead: false,
    body: { kind: 'text' as const, text: id },
    reactions: [] as [string, string, number][],
    status: 'sending',
    ...fields,
  });

  it('goes on with its numbers; what is not on its way any more has failed', () => {
    const [waiting, lost] = ['a'.repeat(32), 'b'.repeat(32)];
    const outgoing = [
      {
        id: waiting,
        about: waiting,
        content: encodeGroupContent(text(3)),
        to: ['x'],
        pending: ['x'],
        lost: [],
        until: Date.now() + 1_000,
        order: 1,
      },
    ];
    const messages = [message(waiting), message(lost), message('c', { status: 'sent' })];
    const { conversation, status } = talk({ kept: { room: { nextIndex: 4 }, messages, outgoing } as never });
    expect([waiting, lost, 'c'].map(status)).toEqual(['sending', 'failed', 'sent']);
    expect([conversation.sent, conversation.firstFor('x')]).toEqual([4, 3]);
  });

  it('shows nothing of who is not known any more, and files where it had some', () => {
    const bo = person(0);
    const file = { kind: 'file' as const, attachment: { thumbnail: new Uint8Array(0) } };
    const messages = [
      message('x', { author: 'stranger', status: 'received' }),
      message('y', { author: bo.id, status: 'received', kind: 'file', body: file }),
    ];
    const { conversation } = talk({ peers: [bo], kept: { room: {}, messages } as never });
    expect(conversation.history()).toMatchObject([{ id: 'y', file: { name: 'file' } }]);
    expect([conversation.names(bo.id), conversation.names('stranger')]).toEqual([true, false]);
  });

  it('takes nothing up twice that was shown before, and confirms it again', async () => {
    const bo = person(0);
    const [shown, handed] = [text(0), text(1)];
    const kept = {
      room: {},
      messages: [message(hex(nameOf(bo, shown)), { author: bo.id, status: 'received' })],
      seen: [{ id: hex(nameOf(bo, handed)), author: bo.id, index: 1 }],
    };
    const { conversation, told, pass, texts } = talk({ peers: [bo], kept: kept as never });
    conversation.announced(bo, 0);
    for (const content of [shown, handed]) await conversation.receiveContent(bo, encodeGroupContent(content));
    await conversation.receiveContent(bo, encodeGroupContent(text(2, 'new')));
    await pass(20);
    expect(texts()).toEqual([hex(nameOf(bo, shown)), 'new']);
    expect(told('receipt')).toMatchObject([{ content: { ids: { length: 3 } } }]);
  });
});
