import { describe, expect, it } from 'vitest';
import { amend } from './amendments.ts';
import type { MessageEntry } from './message-entry.ts';
import { MessageLog } from './message-log.ts';
import type { Message } from './types.ts';

const entry = (author: string, index: number, text = 'hi'): MessageEntry => ({
  id: `${author} ${index}`,
  author,
  kind: 'text',
  order: index,
  index,
  sentAt: 0,
  replyTo: undefined,
  unread: new Set(),
  someoneRead: false,
  body: { kind: 'text', text },
  file: undefined,
  edit: undefined,
  reactions: new Map(),
  status: 'received',
  expiresAt: undefined,
});
const newLog = () => new MessageLog((one) => ({ id: one.id }) as Message);
const LARGE = 'x'.repeat(65_536);

describe('what is kept of a conversation', () => {
  it('is at most 10 000 messages: the oldest go, and with them who wrote nothing else', () => {
    const log = newLog();
    log.add(entry('bo', 0));
    for (let i = 0; i < 10_000; i++) log.add(entry('cy', i));
    expect(log.names('bo')).toBe(true);
    expect(log.trim().map(({ id }) => id)).toEqual(['bo 0']);
    expect([log.names('bo'), log.names('cy'), log.all().length]).toEqual([false, true, 10_000]);
  });

  it('is at most 64 MiB, also when short messages are edited to long ones', () => {
    const log = newLog();
    const messages = Array.from({ length: 1_000 }, (_, i) => entry('bo', i));
    for (const message of messages) log.add(message);
    expect(log.trim()).toEqual([]);
    for (const message of messages) {
      amend(message, { by: 'bo', index: 1_000 + message.index, sentAt: 0, change: { kind: 'edit', text: LARGE } });
      log.changed(message);
    }
    const dropped = log.trim();
    expect(dropped.map(({ index }) => index)).toEqual(Array.from({ length: dropped.length }, (_, i) => i));
    // Two bytes a character, and what goes with a message.
    expect(1_000 - dropped.length).toBe(Math.floor((64 * 2 ** 20) / (2 * LARGE.length + 1_024 + 4)));
    expect(log.trim()).toEqual([]);
  });

  it('of reactions to a message is the last of 64 members', () => {
    const message = entry('bo', 0);
    const change = { kind: 'reaction', emoji: '👍' } as const;
    for (let i = 0; i < 1_000; i++) amend(message, { by: `member ${i}`, index: 1, sentAt: 0, change });
    expect([...message.reactions.keys()]).toEqual(Array.from({ length: 64 }, (_, i) => `member ${936 + i}`));
  });
});
