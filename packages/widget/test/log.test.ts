import { describe, expect, it } from 'vitest';
import { linkify } from '../src/components/qsec2-log/linkify.logic';
import { dayName, isNearEnd, newerCount, rowsOf } from '../src/components/qsec2-log/qsec2-log.logic';
import { newest, upsert } from '../src/store/timeline.logic';
import type { MessageItem, TimelineItem } from '../src/store/view';

const at = (iso: string) => new Date(iso);
const message = (id: string, author: string, when: string, change: Partial<MessageItem> = {}): MessageItem => ({
  kind: 'message',
  id,
  author,
  name: author,
  mine: author === 'me',
  at: at(when),
  text: id,
  status: 'sent',
  ...change,
});

describe('rows', () => {
  it('stand in groups of one person within three minutes', () => {
    const rows = rowsOf([
      message('1', 'bo', '2026-03-01T10:00:00'),
      message('2', 'bo', '2026-03-01T10:02:00'),
      message('3', 'bo', '2026-03-01T10:09:00'),
      message('4', 'me', '2026-03-01T10:09:10'),
    ]).filter((row) => row.kind === 'message');
    expect(rows.map(({ first, last }) => [first, last])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
    ]);
  });

  it('begin each day with its date', () => {
    const rows = rowsOf([message('1', 'bo', '2026-03-01T23:59:00'), message('2', 'bo', '2026-03-02T00:01:00')]);
    expect(rows.map(({ kind }) => kind)).toEqual(['day', 'message', 'day', 'message']);
  });

  it('break a group for what happened in between', () => {
    const note: TimelineItem = { kind: 'note', id: 'n', at: at('2026-03-01T10:00:30'), note: 'joined', name: 'Cleo' };
    const rows = rowsOf([message('1', 'bo', '2026-03-01T10:00:00'), note, message('2', 'bo', '2026-03-01T10:01:00')]);
    expect(rows.filter((row) => row.kind === 'message').every(({ first, last }) => first && last)).toBe(true);
  });

  it('name today and yesterday', () => {
    const words = { today: 'Today', yesterday: 'Yesterday' };
    const now = at('2026-03-01T12:00:00');
    expect(dayName(at('2026-03-01T01:00:00'), now, words, String)).toBe('Today');
    expect(dayName(at('2026-02-28T23:00:00'), now, words, String)).toBe('Yesterday');
    expect(dayName(at('2026-02-01T23:00:00'), now, words, () => 'a date')).toBe('a date');
  });
});

describe('reading back', () => {
  it('counts a reader as being at the end within a line or two of it', () => {
    expect(isNearEnd({ scrollTop: 560, clientHeight: 400, scrollHeight: 1000 })).toBe(true);
    expect(isNearEnd({ scrollTop: 400, clientHeight: 400, scrollHeight: 1000 })).toBe(false);
  });

  it('counts what others wrote since', () => {
    const timeline = [
      message('1', 'bo', '2026-03-01T10:00:00'),
      message('2', 'bo', '2026-03-01T10:01:00'),
      message('3', 'me', '2026-03-01T10:02:00'),
    ];
    expect(newerCount(timeline, '1')).toBe(1);
    expect(newerCount(timeline, '3')).toBe(0);
  });
});

describe('the timeline', () => {
  it('puts news of a message in its place', () => {
    const first = message('1', 'me', '2026-03-01T10:00:00');
    const second = message('2', 'me', '2026-03-01T10:01:00');
    expect(upsert([first, second], { ...first, status: 'delivered' })).toMatchObject([
      { id: '1', status: 'delivered' },
      { id: '2' },
    ]);
  });

  it('knows that a message that failed may still be delivered', () => {
    const item = message('1', 'me', '2026-03-01T10:00:00');
    expect(newest({ ...item, status: 'failed' }, { ...item, status: 'delivered' }).status).toBe('delivered');
    expect(newest({ ...item, status: 'sent' }, { ...item, status: 'sending' }).status).toBe('sent');
  });
});

describe('links', () => {
  it('are found in a sentence, without its punctuation', () => {
    expect(linkify('See https://example.org/a, then (https://example.org/b_(c)).')).toEqual([
      { text: 'See ' },
      { text: 'https://example.org/a', href: 'https://example.org/a' },
      { text: ', then (' },
      { text: 'https://example.org/b_(c)', href: 'https://example.org/b_(c)' },
      { text: ').' },
    ]);
  });

  it('are never made of scripts, data or files', () => {
    for (const text of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'vbscript:x']) {
      expect(linkify(text)).toEqual([{ text }]);
    }
  });

  it('are not made of an address that hides its host behind a name', () => {
    const text = 'https://bank.example@evil.example/login';
    expect(linkify(text)).toEqual([{ text }]);
  });

  it('keep markup as text', () => {
    const text = '<img src=x onerror=alert(1)>';
    expect(linkify(text)).toEqual([{ text }]);
  });

  it('leave every character of the text in its place', () => {
    const text = 'a https://example.org b\nmailto:bo@example.org c';
    expect(
      linkify(text)
        .map((piece) => piece.text)
        .join(''),
    ).toBe(text);
  });
});
