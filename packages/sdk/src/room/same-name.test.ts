import { describe, expect, it } from 'vitest';
import { sameName } from './same-name.ts';
import { cleanName } from './text.ts';

const same = (a: string, b: string) => sameName(cleanName(a, ''), cleanName(b, ''));

describe('two names that people take for the same one', () => {
  it.each([
    ['in another case', 'Bo', 'bO'],
    ['in wide letters', 'Bo', 'Ｂｏ'],
    ['with something invisible between', 'Bo', 'B\u2063o\u3164'],
    ['with a variation selector', 'Bo', 'B\ufe00o'],
    ['with a joiner that shows nothing', 'علی\u200cرضا', 'علیرضا'],
    ['with an Arabic letter for a Persian one', 'علی', 'علي'],
    ['with a stretched letter', 'علی', 'عـلی'],
    ['with a Cyrillic small letter', 'Bo', 'Bо'],
    ['with Cyrillic capitals', 'BO', 'ВО'],
    ['with a Greek letter', 'Bo', 'Βο'],
    ['with a digit', 'Bo', 'B0'],
    ['with a capital I for a small L', 'Ola', 'OIa'],
    ['with two letters for one', 'Tom', 'Torn'],
    ['with ss for ß', 'Voß', 'VOSS'],
    ['with another sigma', 'Νίκος', 'ΝΊΚΟΣ'],
    ['all in Cyrillic in another case', 'ВАНЯ', 'Ваня'],
  ])('%s', (_, a, b) => {
    expect(same(a, b)).toBe(true);
    expect(same(b, a)).toBe(true);
  });
});

describe('two names that people tell apart', () => {
  it.each([
    ['Bo', 'Boo'],
    ['Bo', 'Bö'],
    ['Ana', 'Anna'],
    ['علی', 'علا'],
    ['Ваня', 'Вася'],
    ['👨‍👩‍👧', '👨‍👩‍👦'],
  ])('%s and %s', (a, b) => {
    expect(same(a, b)).toBe(false);
  });
});

describe('a clean name', () => {
  it('is what others call who has none to show', () => {
    expect(cleanName('\u3164', 'Guest')).toBe('Guest');
    expect(cleanName('\u2800 \u0301', 'Guest')).toBe('Guest');
  });

  it('has at most 64 code points, which fit the field it travels in, and no half of an emoji at its end', () => {
    const family = '👨‍👩‍👧‍👦';
    const name = cleanName(family.repeat(20), '');
    expect(name).toBe(family.repeat(9));
    expect([...cleanName('x'.repeat(1000), '')]).toHaveLength(64);
  });
});
