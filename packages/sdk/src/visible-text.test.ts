import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, visibleText } from './visible-text.ts';

const FAMILY = '👨‍👩‍👧‍👦';
const SCOTLAND = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}';

describe('what a script or an emoji needs', () => {
  it.each([
    ['a Persian name with a non-joiner', 'علی\u200cرضا'],
    ['a Persian verb', 'می\u200cخواهم'],
    ['an Arabic letter in its initial form', 'ه\u200d'],
    ['a conjunct of Devanagari', 'क्\u200dष'],
    ['two letters of Devanagari kept apart', 'क्\u200cष'],
    ['a Bengali ya-phalaa', 'র\u200d্য'],
    ['a Malayalam chillu at the end of a word', 'അവന്\u200d'],
    ['a Sinhala conjunct', 'ශ්\u200dරී'],
    ['a Mongolian vowel kept apart', 'ᠴᠢᠨ\u180eᠠ'],
    ['a variant of an ideograph', '葛\u{e0100}城'],
    ['a family', FAMILY],
    ['two people holding hands', '🧑🏽\u200d🤝\u200d🧑🏻'],
    ['a rainbow flag', '🏳️\u200d🌈'],
    ['a heart in colour', 'Ana ❤️'],
    ['a key cap', '1️⃣'],
    ['the flag of Scotland', SCOTLAND],
    ['letters with marks', 'Zoë Ångström'],
    ['Thai with vowels and tones', 'น้ำ'],
  ])('%s stays', (_, name) => {
    expect(visibleText(name)).toBe(name.normalize('NFC'));
  });
});

describe('what shows nothing', () => {
  it.each([
    ['zero-width spaces', '\u200b\ufeff\u2060'],
    ['joiners alone', '\u200d\u200c\u200d'],
    ['Hangul fillers', '\u3164\uffa0\u115f\u1160'],
    ['a blank Braille pattern', '\u2800'],
    ['blank hieroglyphs and notes', '\u{13441}\u{13442}\u{1d159}'],
    ['a Khitan filler', '\u{16fe4}'],
    ['Khmer vowels that are not written', '\u17b4\u17b5'],
    ['variation selectors', '\ufe0f\u{e0101}\u180b'],
    ['tags', '\u{e0001}\u{e0041}\u{e007f}'],
    ['soft hyphens and grapheme joiners', '\u00ad\u034f'],
    ['direction marks and overrides', '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'],
    ['spaces of every kind', ' \u00a0\u1680\u2003\u200a\u2028\u2029\u202f\u205f\u3000'],
    ['marks on nothing', '\u0301\u20dd \u0e31 \u200d\u0301'],
    ['private use and no characters', '\ue000\u{f0000}\ufffe\u{1ffff}\ufdd0'],
    ['annotations and embedded objects', '\ufff9\ufffa\ufffb\ufffc'],
    ['controls and lone surrogates', '\u0000\u007f\u0085\ud800'],
  ])('%s: nothing is left', (_, name) => {
    expect(visibleText(name)).toBe('');
    expect(visibleText(`Bo ${name}`)).toBe('Bo');
  });

  it('is taken out of a word', () => {
    expect(visibleText('B\u200bo\u200d \u3164 Mey\u202eer')).toBe('Bo Meyer');
  });

  it('is taken out between letters of a script that joins nothing', () => {
    expect(visibleText('B\u200do')).toBe('Bo');
    expect(visibleText('ה\u200cב')).toBe('הב');
  });

  it('is not kept twice', () => {
    expect(visibleText('علی\u200c\u200c\u200dرضا')).toBe('علی\u200cرضا');
    expect(visibleText('❤\ufe0f\ufe0f\ufe0f')).toBe('❤\ufe0f');
  });

  it('is not kept as tags that make no flag', () => {
    expect(visibleText('\u{1f3f4}\u{e0067}\u{e0062}')).toBe('\u{1f3f4}');
    expect(visibleText(`Bo${SCOTLAND.slice(2)}`)).toBe('Bo');
  });
});

describe('a visible text', () => {
  const names = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'\u200c\u200d\ufe0f\u180e\u0301\u034f\u3164\u202e ی्क❤1e', SCOTLAND, FAMILY, '\u{e0061}', '\u{1f3f4}'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 40,
  });

  it('does not change when it is cleaned again', () => {
    fc.assert(
      fc.property(names, (name) => {
        const shown = visibleText(name);
        expect(visibleText(shown)).toBe(shown);
      }),
      { numRuns: 2000 },
    );
  });

  it('has something to see, or is empty', () => {
    fc.assert(
      fc.property(names, (name) => {
        const shown = visibleText(name);
        const seen = shown.replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{M}\p{Z}\p{Cc}\u2800]/gu, '');
        expect(seen === '').toBe(shown === '');
      }),
      { numRuns: 2000 },
    );
  });

  it('is cut between what people see as characters', () => {
    expect(cut(`ab${FAMILY}${FAMILY}`, 10)).toBe(`ab${FAMILY}`);
    expect(cut('abc', 3)).toBe('abc');
    expect([...cut(`e${'\u0301'.repeat(100)}`, 64)]).toHaveLength(64);
  });
});
