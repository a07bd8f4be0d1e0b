import { describe, expect, it } from 'vitest';
import { checkText, cleanName, fromHex, groupsOfFour, hex, isEmoji } from './text.ts';

describe('a text', () => {
  it('has at least something in it, and 64 KiB at most', () => {
    checkText('a');
    checkText('x'.repeat(65_536));
    for (const nothing of ['', ' \n\t ', 7 as never]) {
      expect(() => checkText(nothing)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('a string that is not empty') }),
      );
    }
    expect(() => checkText('x'.repeat(65_537))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE', details: { size: 65_537, limit: 65_536 } }),
    );
  });
});

describe('digits', () => {
  it('are lower-case hexadecimal, two to a byte, in groups of four for people', () => {
    expect(hex(Uint8Array.of(0, 10, 255))).toBe('000aff');
    expect([groupsOfFour('0123456789'), groupsOfFour('01234567'), groupsOfFour('')]).toEqual(['0123 4567 89', '0123 4567', '']);
  });

  it('are read only where they are as many as they have to be', () => {
    expect(fromHex('000aff', 3, 'id')).toEqual(Uint8Array.of(0, 10, 255));
    for (const wrong of ['000af', '000aff0', '000aFF', ' 00aff', 'x00aff', 7 as never, ['0'] as never]) {
      expect(() => fromHex(wrong, 3, 'id')).toThrow(
        expect.objectContaining({
          code: 'INVALID_ARGUMENT',
          message: '"id" expected the id of a message, 6 hexadecimal digits.',
        }),
      );
    }
  });
});

describe('a reaction', () => {
  it.each(['👍', '❤️', '👩‍👩‍👧‍👦', '🇦🇹', '1️⃣', '#⃣', '👋🏽'])('may be %s', (emoji) => {
    expect(isEmoji(emoji)).toBe(true);
  });

  it.each(['', 'a', '1', '👍👍', 'a👍', '👍a', '🇦', `👩${'\u200d👩'.repeat(30)}`])('may not be "%s"', (other) => {
    expect(isEmoji(other)).toBe(false);
  });
});

describe('a name', () => {
  it('is its visible part, or the default where there is none', () => {
    expect(cleanName(' Ana ', 'Guest')).toBe('Ana');
    expect(cleanName('  ', 'Guest')).toBe('Guest');
  });
});
