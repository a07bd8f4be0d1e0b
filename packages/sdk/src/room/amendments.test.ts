import { describe, expect, it } from 'vitest';
import { type Amending, amend, EarlyAmendments } from './amendments.ts';
import type { MessageEntry } from './message-entry.ts';

const text = (author: string): MessageEntry => ({
  id: 'm',
  author,
  kind: 'text',
  order: 0,
  index: 5,
  sentAt: 0,
  replyTo: undefined,
  unread: new Set(),
  someoneRead: false,
  body: { kind: 'text', text: 'first' },
  file: undefined,
  edit: undefined,
  reactions: new Map(),
  status: 'received',
  expiresAt: undefined,
});

const edit = (by: string, index: number, content = `edit ${index}`): Amending => ({
  by,
  index,
  sentAt: index,
  change: { kind: 'edit', text: content },
});
const reaction = (by: string, index: number, emoji: string): Amending => ({
  by,
  index,
  sentAt: index,
  change: { kind: 'reaction', emoji },
});
const removal = (by: string): Amending => ({ by, index: 9, sentAt: 9, change: { kind: 'remove' } });

describe('an edit', () => {
  it('is its author’s alone', () => {
    const entry = text('ana');
    expect(amend(entry, edit('bo', 6))).toBe(false);
    expect(amend(entry, edit('ana', 6))).toBe(true);
    expect(entry.edit?.text).toBe('edit 6');
  });

  it('gives way to one that was sent later, in whatever order they come', () => {
    const entry = text('ana');
    expect([amend(entry, edit('ana', 8)), amend(entry, edit('ana', 7)), amend(entry, edit('ana', 4))]).toEqual([
      true,
      false,
      false,
    ]);
    expect(entry.edit?.text).toBe('edit 8');
  });
});

describe('a removal', () => {
  it('is its author’s alone, and final', () => {
    const entry = text('ana');
    amend(entry, reaction('bo', 1, '👍'));
    expect(amend(entry, removal('bo'))).toBe(false);
    expect(amend(entry, removal('ana'))).toBe(true);
    expect([amend(entry, edit('ana', 20)), amend(entry, reaction('bo', 2, '👍'))]).toEqual([false, false]);
    expect(entry).toMatchObject({ body: undefined, edit: undefined });
    expect(entry.reactions.size).toBe(0);
  });
});

describe('a reaction', () => {
  it('is one a member; the one sent last counts, taken back or not', () => {
    const entry = text('ana');
    amend(entry, reaction('bo', 3, ''));
    expect(amend(entry, reaction('bo', 2, '👍'))).toBe(false);
    expect(amend(entry, reaction('cy', 1, '🎉'))).toBe(true);
    expect([...entry.reactions].map(([by, { emoji }]) => [by, emoji])).toEqual([
      ['bo', ''],
      ['cy', '🎉'],
    ]);
  });
});

describe('what comes before its message', () => {
  it('waits, in order, and is handed out once', () => {
    const early = new EarlyAmendments();
    early.add('m', edit('ana', 1));
    early.add('other', edit('ana', 2));
    early.add('m', edit('ana', 3));
    expect(early.take('m').map(({ index }) => index)).toEqual([1, 3]);
    expect(early.take('m')).toEqual([]);
  });

  it('is bounded for each member: one who sends many costs nobody else', () => {
    const early = new EarlyAmendments();
    early.add('m', edit('ana', 1));
    for (let i = 0; i < 5_000; i++) early.add(`flood ${i}`, edit('eve', i));
    expect(early.take('m')).toHaveLength(1);
    expect(early.take('flood 0')).toEqual([]);
    expect(early.take('flood 4999')).toHaveLength(1);
  });
});
