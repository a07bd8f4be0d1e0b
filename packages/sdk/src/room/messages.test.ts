import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '../events.ts';
import type { Attachment } from '../protocol/attachment.ts';
import { Directory } from './directory.ts';
import { fromKept, type MessageEntry, toKept } from './message-entry.ts';
import { Messages } from './messages.ts';
import type { KnownMember } from './remembered-member.ts';
import type { Message, MessageFile, MessageStatus, RoomEvents, VoiceMessage } from './types.ts';

/** Messages as they stand, apart from any room. */

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const bo = { id: 'bo', name: 'Bo' } as KnownMember;
const cy = { id: 'cy', name: 'Cy' } as KnownMember;

const entry = (id: string, fields: Partial<MessageEntry> = {}): MessageEntry => ({
  id,
  author: 'bo',
  kind: 'text',
  order: 0,
  index: 0,
  sentAt: 5,
  replyTo: undefined,
  unread: new Set(),
  someoneRead: false,
  body: { kind: 'text', text: id },
  file: undefined,
  edit: undefined,
  reactions: new Map(),
  status: 'received',
  expiresAt: undefined,
  ...fields,
});

const ours = (id: string, fields: Partial<MessageEntry> = {}) => entry(id, { author: 'me', status: 'sending', ...fields });

function kept() {
  const events = new Emitter<RoomEvents>();
  const log = { updates: [] as Message[], changed: [] as string[], dropped: [] as string[], expired: [] as string[] };
  events.on('update', (message) => log.updates.push(message));
  const messages = new Messages({
    events,
    directory: new Directory([bo, cy], () => false),
    onChanged: ({ id }) => log.changed.push(id),
    onDropped: (id) => log.dropped.push(id),
    onExpired: (id) => log.expired.push(id),
  });
  const status = (id: string) => messages.get(id)?.status;
  return { messages, log, status };
}

describe('how far a message of ours got', () => {
  const ALL = ['sending', 'sent', 'delivered', 'read', 'failed', 'expired', 'unaddressed'] as const;
  /** From each state, the ones that may follow. */
  const FOLLOW: Record<(typeof ALL)[number], readonly MessageStatus[]> = {
    sending: ['sent', 'delivered', 'read', 'failed', 'expired', 'unaddressed'],
    sent: ['delivered', 'read', 'expired', 'unaddressed'],
    delivered: ['read'],
    read: [],
    failed: ['sending', 'sent', 'delivered', 'read', 'expired', 'unaddressed'],
    expired: ['sending', 'sent', 'delivered', 'read'],
    unaddressed: ['sending', 'sent', 'delivered', 'read', 'expired'],
  };

  it.each(ALL)('goes on from "%s" to what may follow, and to nothing else', (from) => {
    const followed = ALL.filter((to) => {
      const { messages, status, log } = kept();
      messages.add(ours('m', { status: from }));
      log.changed.length = 0;
      messages.progress('m', to);
      expect(log.updates.map(({ status: shown }) => shown)).toEqual(log.changed.length > 0 ? [to] : []);
      return status('m') !== from;
    });
    expect(followed).toEqual(ALL.filter((to) => FOLLOW[from].includes(to)));
  });

  it('is told of our own messages only', () => {
    const { messages, status, log } = kept();
    messages.add(entry('m'));
    messages.progress('m', 'read');
    messages.progress('unknown', 'read');
    expect([status('m'), log.updates]).toEqual(['received', []]);
  });

  it('is "read" once everyone read it who is waited for, and somebody did', () => {
    const { messages, status } = kept();
    messages.add(ours('m', { status: 'sent', unread: new Set(['bo', 'cy']) }));
    messages.readBy('bo', 'm');
    messages.readBy('bo', 'm');
    messages.readBy('di', 'm');
    messages.readBy('bo', 'unknown');
    expect(status('m')).toBe('sent');
    messages.forget('cy');
    expect(status('m')).toBe('read');
    const other = kept();
    other.messages.add(ours('m', { status: 'sent', unread: new Set(['bo']) }));
    other.messages.forget('bo');
    expect(other.status('m')).toBe('sent');
  });

  it('waits also for a member that came later, unless it was read before', () => {
    const { messages, status, log } = kept();
    messages.add(ours('m', { status: 'sent', unread: new Set(['bo']) }));
    messages.add(ours('read', { status: 'read' }));
    messages.add(entry('theirs'));
    log.changed.length = 0;
    for (const id of ['m', 'm', 'read', 'theirs', 'unknown']) messages.addressed(id, 'cy');
    expect(log.changed).toEqual(['m']);
    messages.readBy('bo', 'm');
    expect(status('m')).toBe('sent');
    messages.readBy('cy', 'm');
    expect(status('m')).toBe('read');
  });
});

describe('a message of another member', () => {
  it('is read once', () => {
    const { messages, log } = kept();
    messages.add(entry('m'));
    const read = messages.get('m') as MessageEntry;
    expect([messages.markRead(read), messages.markRead(read)]).toEqual([true, false]);
    expect(log.updates.map(({ status }) => status)).toEqual(['read']);
  });

  it('is one of the last that were read, the newest last', () => {
    const { messages } = kept();
    for (const id of ['a', 'b', 'c', 'unread'])
      messages.add(entry(id, { index: 1, status: id === 'unread' ? 'received' : 'read' }));
    messages.add(entry('other', { author: 'cy', status: 'read' }));
    expect(messages.lastRead('bo', 2)).toEqual(['b', 'c']);
    expect(messages.lastRead('bo', 9)).toEqual(['a', 'b', 'c']);
  });

  it('names its author for as long as it is kept', () => {
    const { messages } = kept();
    messages.add(entry('m'));
    expect([messages.names('bo'), messages.names('cy')]).toEqual([true, false]);
    expect(messages.history().map(({ from }) => from)).toEqual([bo]);
  });
});

describe('a change', () => {
  const edit = (text: string, index = 1) => ({ by: 'bo', index, sentAt: 7, change: { kind: 'edit' as const, text } });
  const remove = { by: 'bo', index: 2, sentAt: 7, change: { kind: 'remove' as const } };

  it('that comes before its message holds once it is there', () => {
    const { messages, log } = kept();
    messages.amend('m', edit('better'));
    expect(log.updates).toEqual([]);
    expect(messages.add(entry('m'))).toMatchObject({ text: 'better', edited: new Date(7) });
    messages.amend('gone', remove);
    expect(messages.add(entry('gone'))).toBeUndefined();
    expect([messages.history().map(({ id }) => id), log.changed]).toEqual([['m'], ['m']]);
  });

  it('that changes nothing is not told of', () => {
    const { messages, log } = kept();
    messages.add(entry('m'));
    messages.amend('m', edit('first', 2));
    messages.amend('m', edit('older', 1));
    expect(log.updates.map(({ text }) => text)).toEqual(['first']);
  });

  it('that takes a message back ends its time, too', () => {
    const { messages, log } = kept();
    messages.add(entry('m', { expiresAt: Date.now() + 1_000 }));
    messages.amend('m', remove);
    expect(log.updates.map(({ gone, text }) => [gone, text])).toEqual([['removed', undefined]]);
    vi.advanceTimersByTime(10_000);
    expect([log.expired, messages.history().length]).toEqual([[], 1]);
  });
});

describe('a message that disappears', () => {
  it('is gone when its time is up, with what it said', () => {
    const { messages, log } = kept();
    const reactions = new Map([['cy', { emoji: '👍', index: 0 }]]);
    messages.add(entry('m', { expiresAt: Date.now() + 1_000, edit: { text: 'x', index: 1, at: 3 }, reactions }));
    const held = messages.get('m') as MessageEntry;
    vi.advanceTimersByTime(999);
    expect([messages.history().length, log.expired]).toEqual([1, []]);
    vi.advanceTimersByTime(1);
    expect([messages.history(), log.expired]).toEqual([[], ['m']]);
    expect(log.updates).toEqual([expect.objectContaining({ id: 'm', gone: 'expired', reactions: [] })]);
    expect(log.updates[0]).not.toHaveProperty('text');
    expect([held.body, held.edit, held.file, held.reactions.size]).toEqual([undefined, undefined, undefined, 0]);
  });

  it('before a reload ended is gone without a word, and one that has time left goes later', () => {
    const { messages, log } = kept();
    messages.restore(entry('past', { expiresAt: Date.now(), order: 4 }));
    messages.restore(entry('later', { expiresAt: Date.now() + 1, order: 3 }));
    expect([messages.history().map(({ id }) => id), log.expired, log.updates]).toEqual([['later'], ['past'], []]);
    vi.advanceTimersByTime(1);
    expect(log.expired).toEqual(['past', 'later']);
    // Numbers go on behind those of before.
    messages.add(entry('new'));
    expect(messages.get('new')?.order).toBe(5);
  });

  it('disappears no more once the room is left', () => {
    const { messages, log } = kept();
    messages.add(entry('m', { expiresAt: Date.now() + 1_000 }));
    messages.close();
    vi.advanceTimersByTime(10_000);
    expect(log.expired).toEqual([]);
  });

  it('has to make room like others, and is not told of as expired then', () => {
    const { messages, log } = kept();
    messages.add(entry('first', { expiresAt: Date.now() + 1_000 }));
    for (let number = 0; number < 10_000; number++) messages.add(entry(`${number}`, { index: number }));
    expect(log.dropped).toEqual(['first']);
    vi.advanceTimersByTime(10_000);
    expect(log.expired).toEqual([]);
  });
});

describe('what an application sees of a message', () => {
  const shown = (fields: Partial<MessageEntry>) => kept().messages.add(entry('m', fields)) as Message;
  const attachment = { name: 'a.txt', thumbnail: new Uint8Array(0) } as unknown as Attachment;

  it('is what it says and nothing that it has not', () => {
    expect(shown({})).toEqual({
      id: 'm',
      from: bo,
      sentAt: new Date(5),
      kind: 'text',
      text: 'm',
      reactions: [],
      status: 'received',
    });
    expect(shown({ author: 'me' }).from).toBe('me');
    expect(shown({ replyTo: 'other', expiresAt: 2_000_000 })).toMatchObject({ replyTo: 'other', expiresAt: new Date(2_000_000) });
  });

  it('is a file or a voice message where it is one', () => {
    const [file, voice] = [{ name: 'a.txt' } as MessageFile, { durationMs: 5 } as VoiceMessage];
    const withFile = shown({ kind: 'file', body: { kind: 'file', attachment }, file });
    expect([withFile.file, 'voice' in withFile, 'text' in withFile]).toEqual([file, false, false]);
    const withVoice = shown({ kind: 'voice', body: { kind: 'voice', attachment } as never, file: voice });
    expect([withVoice.voice, 'file' in withVoice]).toEqual([voice, false]);
  });

  it('is who reacted how, together, without those who took it back or are not known any more', () => {
    const reactions = new Map([
      ['bo', { emoji: '👍', index: 0 }],
      ['cy', { emoji: '👍', index: 0 }],
      ['me', { emoji: '🎉', index: 0 }],
      ['di', { emoji: '🎉', index: 0 }],
    ]);
    expect(shown({ reactions }).reactions).toEqual([
      { emoji: '👍', by: [bo, cy] },
      { emoji: '🎉', by: ['me'] },
    ]);
    expect(shown({ reactions: new Map([['bo', { emoji: '', index: 1 }]]) }).reactions).toEqual([]);
  });

  it('names a member by its new object once there is one', () => {
    const { messages } = kept();
    messages.add(entry('m'));
    const [before] = messages.history();
    expect(messages.history()[0]).toBe(before);
    messages.renamed(bo);
    expect(messages.history()[0]).not.toBe(before);
  });
});

describe('a message that is stored', () => {
  it('is the same when it is read again, except for its file', () => {
    const reactions = new Map([['cy', { emoji: '👍', index: 3 }]]);
    const full = entry('m', {
      replyTo: 'other',
      edit: { text: 'x', index: 1, at: 3 },
      expiresAt: 9,
      unread: new Set(['cy']),
      reactions,
      someoneRead: true,
    });
    expect(fromKept(toKept(full))).toEqual(full);
    expect(toKept(full)).not.toHaveProperty('file');
    expect(toKept(full).reactions).toEqual([['cy', '👍', 3]]);
    const bare = entry('m', { body: undefined });
    for (const name of ['replyTo', 'body', 'edit', 'expiresAt']) expect(toKept(bare)).not.toHaveProperty(name);
    expect(fromKept(toKept(bare))).toEqual(bare);
  });
});
