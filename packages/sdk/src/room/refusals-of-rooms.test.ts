import { afterEach, describe, expect, it, vi } from 'vitest';
import type { QsecError } from '../errors.ts';
import type { ConnectOptions } from '../options.ts';
import { oneFlightSource } from '../protocol/one-flight-source.fixture.ts';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import type { Transport, TransportFactory } from '../transport/transport.ts';
import { connect } from './connect.ts';
import type { Member, Message, Room } from './types.ts';

/** What a room refuses its application, and that it says why. */

/** Keys that cost no time: this is about something else. */
const keyAgreement = { source: oneFlightSource() };

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(relay: Pick<MemoryRelay, 'transport'>, options: Partial<ConnectOptions> = {}): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, keyAgreement, ...options });
  open.push(room);
  return room;
}

async function pair(relay: Pick<MemoryRelay, 'transport'> = new MemoryRelay(), options: Partial<ConnectOptions> = {}) {
  const ana = await enter(relay, { name: 'Ana', ...options });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite, ...options });
  for (const room of [ana, bo]) while (room.state !== 'secure') await room.once('state');
  return { ana, bo };
}

async function said(from: Room, to: Room, text: string): Promise<string> {
  const arrived = to.once('message');
  const sent = await from.send(text);
  expect((await arrived).id).toBe(sent.id);
  await sent.delivered;
  return sent.id;
}

const refusal = (code: string, message: string) => ({ code, message });

describe('a room that was left', () => {
  it('does nothing more, and says so', async () => {
    const { ana, bo } = await pair();
    const id = await said(bo, ana, 'hello');
    const member = ana.members[0] as Member;
    const stream = ana.messages();
    await ana.leave();
    const closed = refusal('CLOSED', 'This room was left or ended.');
    const attempts: (() => Promise<unknown>)[] = [
      () => ana.send('a'),
      () => ana.edit(id, 'a'),
      () => ana.remove(id),
      () => ana.react(id, '👍'),
      () => ana.read(id),
      () => ana.retry(id),
      () => ana.sendFile(new Uint8Array(5)),
      () => ana.sendVoice(new Uint8Array(5), { durationMs: 5, peaks: [1] }),
      () => ana.rename('Anna'),
      () => ana.rekey(),
      () => ana.lock(),
      () => ana.unlock(),
      () => ana.approve(member),
      () => ana.delegate(member, ['lock']),
      () => ana.revoke(member),
      () => ana.removeMember(member),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject(closed);
    expect(() => ana.retry()).toThrow(expect.objectContaining(closed));
    for (const each of [stream, ana.messages()]) for await (const message of each) expect(message).toBeUndefined();
    // What ends it, ends it once.
    await ana.leave();
    await ana.suspend();
    ana.typing();
    expect(ana.state).toBe('closed');
  });

  it('also ends what waits for its keys', async () => {
    // Nothing arrives, so that it goes on to wait.
    const relay = new HostileRelay({ tamper: () => [] });
    const ana = await enter(relay, { name: 'Ana' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    expect(bo.state).toBe('agreeing');
    const sending = bo.send('too soon');
    await bo.leave();
    await expect(sending).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a message', () => {
  it('of another member is not ours to change', async () => {
    const { ana, bo } = await pair();
    const id = await said(ana, bo, 'mine');
    const notOurs = refusal('INVALID_ARGUMENT', 'Only its author can edit or remove a message, and only a text can be edited.');
    await expect(bo.edit(id, 'yours')).rejects.toMatchObject(notOurs);
    await expect(bo.remove(id)).rejects.toMatchObject(notOurs);
    const { id: file } = await ana.sendFile(new Uint8Array(5));
    await expect(ana.edit(file, 'text')).rejects.toMatchObject(notOurs);
    await ana.remove(file);
    await bo.react(id, '👍');
  });

  it('that was removed is changed no more, not even with a reaction', async () => {
    const { ana, bo } = await pair();
    const id = await said(ana, bo, 'mine');
    const updated = bo.once('update');
    await ana.remove(id);
    await updated;
    const removed = refusal('INVALID_ARGUMENT', 'This message was removed.');
    for (const attempt of [() => ana.edit(id, 'back'), () => ana.remove(id), () => ana.react(id, '👍'), () => bo.react(id, '👍')])
      await expect(attempt()).rejects.toMatchObject(removed);
  });

  it('that is not kept here cannot be named', async () => {
    const { ana } = await pair();
    const id = '0'.repeat(32);
    const unknown = refusal('INVALID_ARGUMENT', `"id" expected the id of a message that is kept here, got "${id}"`);
    for (const attempt of [
      () => ana.edit(id, 'a'),
      () => ana.remove(id),
      () => ana.react(id, '👍'),
      () => ana.read(id),
      () => ana.retry(id),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: unknown.code, message: expect.stringContaining('kept here') });
  });

  it('is sent again only where it is ours and did not arrive', async () => {
    const { ana, bo } = await pair();
    const id = await said(ana, bo, 'mine');
    const arrived = refusal('INVALID_ARGUMENT', 'Only a message of ours that did not arrive can be sent again.');
    await expect(ana.retry(id)).rejects.toMatchObject(arrived);
    await expect(bo.retry(id)).rejects.toMatchObject(arrived);
    const alone = await enter(new MemoryRelay(), { name: 'Ana' });
    const { id: unaddressed } = await alone.send('to nobody');
    await alone.retry(unaddressed);
    await alone.remove(unaddressed);
    await expect(alone.retry(unaddressed)).rejects.toMatchObject(arrived);
  });

  it('has 64 KiB of text at most', async () => {
    const { ana } = await pair();
    const largest = 'x'.repeat(65_536);
    const { id } = await ana.send(largest);
    await ana.edit(id, largest);
    for (const attempt of [() => ana.send(`${largest}x`), () => ana.edit(id, `${largest}x`), () => ana.send('ä'.repeat(32_769))])
      await expect(attempt()).rejects.toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
        message: expect.stringMatching(/^This text has 6553\d bytes; at most 65536 fit one message\.$/),
        details: { size: expect.any(Number), limit: 65_536 },
      });
  });

  it('answers a message by an id that can be one', async () => {
    const { ana } = await pair();
    const malformed = refusal('INVALID_ARGUMENT', '"replyTo" expected the id of a message, 32 hexadecimal digits.');
    for (const replyTo of ['x', '0'.repeat(31), '0'.repeat(33), 'G'.repeat(32), 'A'.repeat(32)])
      await expect(ana.send('hi', { replyTo })).rejects.toMatchObject(malformed);
    await ana.send('hi', { replyTo: '0'.repeat(32) });
  });
});

describe('a file', () => {
  it('that is empty is refused, also where that shows only at its end', async () => {
    const { ana } = await pair();
    const empty = refusal('INVALID_ARGUMENT', '"file" is empty.');
    const told = vi.fn();
    ana.on('progress', told);
    await expect(ana.sendFile(new Uint8Array(0))).rejects.toMatchObject(empty);
    expect(told).not.toHaveBeenCalled();
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
    await expect(ana.sendFile(stream)).rejects.toMatchObject(empty);
    expect(ana.history()).toEqual([]);
  });

  it('above what may be sent is refused, with both sizes', async () => {
    const { ana } = await pair(new MemoryRelay(), { files: { maxBytes: 1_000 } });
    await expect(ana.sendFile(new Uint8Array(1_001))).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      message: 'This file has 1001 bytes; at most 1000 can be sent.',
      details: { size: 1_001, limit: 1_000 },
    });
    await ana.sendFile(new Uint8Array(1_000));
  });

  it('is refused where the relay keeps none', async () => {
    const relay = new MemoryRelay();
    const transport: TransportFactory = (url, handlers) => {
      const { blobs: _, ...rest } = bound(relay.transport(url, handlers));
      return rest;
    };
    const { ana } = await pair({ transport });
    const told = vi.fn();
    ana.on('progress', told);
    await expect(ana.sendFile(new Uint8Array(5))).rejects.toMatchObject(refusal('UNSUPPORTED', 'This relay keeps no files.'));
    // Before a byte of it is read.
    expect(told).not.toHaveBeenCalled();
  });

  it('above what the room has at the relay is refused', async () => {
    const relay = new MemoryRelay();
    const transport: TransportFactory = (url, handlers) => {
      const inner = bound(relay.transport(url, handlers));
      const join: Transport['join'] = async (request) => {
        const reply = await inner.join(request);
        if (reply.ok) Object.assign(reply.ok.limits, { blobs: { ...reply.ok.limits.blobs, roomBytes: 2_000 } });
        return reply;
      };
      return { ...inner, join };
    };
    const { ana } = await pair({ transport });
    await expect(ana.sendFile(new Uint8Array(2_000))).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      message: 'This file has 2000 bytes; at most 2000 can be sent.',
    });
  });

  it('that is cancelled before it begins, or before it is told of, is not sent', async () => {
    const { ana } = await pair();
    const cancelled = refusal('ABORTED', 'Sending a file was cancelled.');
    const told = vi.fn();
    ana.on('progress', told);
    await expect(ana.sendFile(new Uint8Array(5), { signal: AbortSignal.abort() })).rejects.toMatchObject(cancelled);
    expect(told).not.toHaveBeenCalled();
    const stop = new AbortController();
    const sending = ana.sendFile(new Uint8Array(5), {
      signal: stop.signal,
      onProgress: ({ state }) => {
        if (state === 'done') stop.abort();
      },
    });
    await expect(sending).rejects.toMatchObject(cancelled);
    expect(ana.history()).toEqual([]);
  });

  it('takes a picture beside it that is one, and small', async () => {
    const { ana } = await pair();
    await expect(ana.sendFile(new Uint8Array(5), { thumbnail: new Uint8Array(5) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^"thumbnail" expected a PNG, JPEG or WebP of at most \d+ bytes and \d+ pixels\.$/),
    });
  });
});

/** A transport whose parts can be replaced one by one. */
function bound(inner: Transport): Transport {
  const names = ['create', 'join', 'leave', 'end', 'push', 'recv', 'report', 'reconnect', 'close'] as const;
  const methods = Object.fromEntries(names.map((name) => [name, (inner[name] as () => unknown).bind(inner)]));
  return { ...(methods as unknown as Transport), ...(inner.blobs && { blobs: inner.blobs }) };
}

describe('what goes wrong inside', () => {
  it('in a listener of the application costs no message', async () => {
    const { ana, bo } = await pair();
    const thrown = vi.fn();
    const seen: (Message | string)[] = [];
    bo.on('error', thrown);
    bo.on('message', ({ text = '' }) => seen.push(text));
    await said(ana, bo, 'one');
    await said(ana, bo, 'two');
    expect([seen, thrown.mock.calls]).toEqual([['one', 'two'], []]);
  });

  it('with the storage while leaving keeps nobody in the room', async () => {
    const { memoryStorage } = await import('../testing/memory-storage.ts');
    const storage = memoryStorage();
    const ana = await enter(new MemoryRelay(), { name: 'Ana', persist: 'device', storage });
    storage.erase = () => Promise.reject(new Error('disk'));
    const told: QsecError[] = [];
    ana.on('error', (error) => told.push(error));
    await ana.leave();
    expect([ana.state, told.map(({ code }) => code)]).toEqual(['closed', ['STORAGE_UNAVAILABLE']]);
  });
});
