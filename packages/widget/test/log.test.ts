import type { Message } from '@qsec2/sdk';
import { describe, expect, it } from 'vitest';
import { linkify } from '../src/components/qsec2-log/linkify.logic';
import { dayName, isNearEnd, newerCount, rowsOf } from '../src/components/qsec2-log/qsec2-log.logic';
import { makeFormat } from '../src/i18n/format';
import { messageItem, newest, upsert } from '../src/store/timeline.logic';
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

describe('the time of a message', () => {
  const now = at('2026-12-01T12:00:00');
  const told = (sentAt: string, from: unknown = { id: 'bo' }) =>
    ({ id: '1', from, sentAt: at(sentAt), status: 'received', reactions: [], kind: 'text' }) as unknown as Message;
  const shown = (sentAt: string, fresh: boolean, from?: unknown) =>
    messageItem(told(sentAt, from), 'Bo', fresh, now).at.toISOString();

  it.each([
    ['three years ago', '2023-12-01T12:00:00'],
    ['two days ago', '2026-11-29T11:00:00'],
    ['in ten minutes', '2026-12-01T12:10:00'],
    ['in ten years', '2036-12-01T12:00:00'],
  ])('is that of its arrival when the clock of its author is far off: %s', (_, sentAt) => {
    expect(shown(sentAt, true)).toBe(now.toISOString());
  });

  it.each(['2026-12-01T11:59:00', '2026-12-01T12:02:00', '2026-11-30T13:00:00'])(
    'is what its author says otherwise: %s',
    (sentAt) => {
      expect(shown(sentAt, true)).toBe(at(sentAt).toISOString());
    },
  );

  it('is in the past for a message that was kept, and as it was for one of ours', () => {
    expect(shown('2023-12-01T12:00:00', false)).toBe(at('2023-12-01T12:00:00').toISOString());
    expect(shown('2036-12-01T12:00:00', false)).toBe(now.toISOString());
    expect(shown('2026-11-01T12:00:00', true, 'me')).toBe(at('2026-11-01T12:00:00').toISOString());
  });

  it('does not change when there is news of the message', () => {
    const first = messageItem(told('2023-12-01T12:00:00'), 'Bo', true, now);
    const later = messageItem(told('2023-12-01T12:00:00'), 'Bo', false, at('2026-12-02T12:00:00'));
    expect(newest(first, later).at).toEqual(now);
  });

  it('shows its year in the date, when that is another one', () => {
    const format = makeFormat('en-GB');
    expect(format.day(at('2026-03-05T12:00:00'), now)).toMatch(/^Thursday,? 5 March$/);
    expect(format.day(at('2023-12-01T12:00:00'), now)).toMatch(/^Friday,? 1 December 2023$/);
    expect(format.day(at('2027-01-01T12:00:00'), now)).toMatch(/^Friday,? 1 January 2027$/);
    expect(dayName(at('2025-12-31T12:00:00'), at('2026-01-01T12:00:00'), { today: 'T', yesterday: 'Y' }, format.day)).toBe('Y');
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

  it('believes the room that what was sent has expired, and is on its way again', () => {
    const item = message('1', 'me', '2026-03-01T10:00:00');
    expect(newest({ ...item, status: 'sent' }, { ...item, status: 'expired' }, true).status).toBe('expired');
    expect(newest({ ...item, status: 'expired' }, { ...item, status: 'sent' }, true).status).toBe('sent');
    expect(newest({ ...item, status: 'unaddressed' }, { ...item, status: 'sending' }, true).status).toBe('sending');
    expect(newest({ ...item, status: 'expired' }, { ...item, status: 'sending' }).status).toBe('expired');
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

  it.each([
    ['«https://a.example/ü»', 'https://a.example/ü'],
    ['»https://a.example/ü«', 'https://a.example/ü'],
    ['„https://a.example/ü“', 'https://a.example/ü'],
    ['“https://a.example/ü”, said Bo', 'https://a.example/ü'],
    ['”https://a.example/ü”', 'https://a.example/ü'],
    ['‘https://a.example/ü’', 'https://a.example/ü'],
    ['‚https://a.example/ü‘', 'https://a.example/ü'],
    ['‹https://a.example/ü›', 'https://a.example/ü'],
    ['「https://a.example/ü」と', 'https://a.example/ü'],
    ['『https://a.example/ü』', 'https://a.example/ü'],
    ['《https://a.example/ü》', 'https://a.example/ü'],
    ['【https://a.example/ü】', 'https://a.example/ü'],
    ['（https://a.example/ü）', 'https://a.example/ü'],
    ['＂https://a.example/ü＂', 'https://a.example/ü'],
    ['<https://a.example/ü>', 'https://a.example/ü'],
    ['[see](https://a.example/ü)', 'https://a.example/ü'],
    ['{https://a.example/ü}', 'https://a.example/ü'],
    ['`https://a.example/ü`', 'https://a.example/ü'],
    ['\u2067https://a.example/ü\u2069', 'https://a.example/ü'],
    ['\u202bhttps://a.example/ü\u202c!', 'https://a.example/ü'],
    ['https://a.example/ü\u200f.', 'https://a.example/ü'],
    ['https://a.example/\u202egpj.exe', 'https://a.example/'],
    ['https://a.example/ü\u200b', 'https://a.example/ü'],
    ['https://a.example/ü\u3164x', 'https://a.example/ü'],
    ['https://a.example/ü。次', 'https://a.example/ü'],
    ['https://a.example/ü、https', 'https://a.example/ü'],
    ['https://a.example/ü！', 'https://a.example/ü'],
    ['https://a.example/ü؟', 'https://a.example/ü'],
    ['https://a.example/ü، ثم', 'https://a.example/ü'],
    ['https://a.example/ü۔', 'https://a.example/ü'],
    ['https://a.example/ü।', 'https://a.example/ü'],
    ['https://a.example/ü።', 'https://a.example/ü'],
    ['https://a.example/ü…', 'https://a.example/ü'],
    ['https://a.example/ü—', 'https://a.example/ü'],
    ['https://a.example/ü?!', 'https://a.example/ü'],
    ['(https://a.example/ü).', 'https://a.example/ü'],
    ['(see https://a.example/b_(c))', 'https://a.example/b_(c)'],
    ['https://a.example/[x]/{y}/(z)', 'https://a.example/[x]/{y}/(z)'],
    ['https://a.example/（注）', 'https://a.example/（注）'],
    ['https://a.example/L’Équipe', 'https://a.example/L’Équipe'],
    ['https://a.example/می\u200cخواهم', 'https://a.example/می\u200cخواهم'],
    ['https://a.example/❤\ufe0f', 'https://a.example/❤\ufe0f'],
    ['http://[::1]:5000/a', 'http://[::1]:5000/a'],
    ['https://a.example/a,b;c:d!e?f=g.h', 'https://a.example/a,b;c:d!e?f=g.h'],
    ['mailto:bo@a.example»', 'mailto:bo@a.example'],
  ])('end where the text around them goes on: %j', (text, link) => {
    const pieces = linkify(text);
    expect(pieces.filter(({ href }) => href).map((piece) => piece.text)).toEqual([link]);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
  });

  it('may stand without a space between them', () => {
    const found = linkify('“https://a.example/1”“https://a.example/2”、https://a.example/3').flatMap(({ href }) => href ?? []);
    expect(found).toEqual(['https://a.example/1', 'https://a.example/2', 'https://a.example/3']);
  });

  it('that are none do not make a long text slow', () => {
    const time = (text: string) => {
      const started = performance.now();
      expect(
        linkify(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
      return performance.now() - started;
    };
    const usual = time(`https://a.example/${'a'.repeat(60_000)}`) + 1;
    // Searching each of them to the end takes thousands of times as long.
    for (const piece of ['https://a@', 'https://[', 'https://', 'https://a(', 'mailto:(https://a@']) {
      expect(time(piece.repeat(60_000 / piece.length)) / usual, piece).toBeLessThan(200);
    }
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
