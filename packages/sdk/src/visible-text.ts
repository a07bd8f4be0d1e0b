import { utf8 } from './wire/index.ts';

/**
 * Names that other people chose, of members, rooms and files, as they may be shown: nothing invisible in them, nothing that changes the
 * direction of the text around them, and everything that a script or an emoji needs to be read.
 */

/** Every space there is. */
const SPACES = /\p{Z}+/gu;

/** Joiners, variation selectors and tags: what they show depends on what stands beside them. */
const FORMAT = '[\\u180b-\\u180f\\u200c\\u200d\\ufe00-\\ufe0f\\u{e0020}-\\u{e007f}\\u{e0100}-\\u{e01ef}]';

/**
 * What shows nothing, wherever it stands: controls, direction and format characters, fillers, blank glyphs, private use and what is no
 * character. Those of {@link FORMATS} are judged apart.
 */
const NOTHING = new RegExp(
  `(?!${FORMAT})[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}\\u2800\\ufffc\\u{13441}\\u{13442}\\u{16fe4}\\u{1d159}]`,
  'gu',
);

/** Letters of scripts whose words use joiners: letters that join, and those written with conjuncts. */
const JOINING = [
  ...['Arab', 'Syrc', 'Mong', 'Nkoo', 'Mand', 'Mani', 'Phag', 'Adlm', 'Rohg'],
  ...['Beng', 'Deva', 'Gujr', 'Guru', 'Knda', 'Mlym', 'Orya', 'Sinh', 'Taml', 'Telu', 'Khmr', 'Mymr', 'Java', 'Bali', 'Newa'],
  ...['Gran', 'Tirh', 'Cakm', 'Mtei', 'Sund'],
]
  .map((script) => `\\p{scx=${script}}`)
  .join('');
const JOINED = `(?=[\\p{L}\\p{M}])[${JOINING}]`;
/** Marks that leave a consonant without its vowel (canonical combining class 9): a joiner behind one says how it is written, at the end of a word, too. */
const VIRAMA =
  '[\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d3b\\u0d3c\\u0d4d\\u0dca\\u0f84\\u1039\\u103a\\u17d2\\u1b44\\ua806\\ua8c4\\ua953\\ua9c0\\uabed\\u{11046}\\u{110b9}\\u{11133}\\u{111c0}\\u{1134d}\\u{11442}\\u{114c2}]';

/**
 * The first group is a format character that stands where it means something (RFC 5892, appendix A, for joiners;
 * UTS #51 for emoji; UTS #37 for ideographs): that stays.
 */
const FORMATS = new RegExp(
  `(?=${FORMAT})(?:(${[
    // Between letters of a script that joins, or behind a virama; the joiner alone also behind an Arabic letter, which it gives another form.
    `(?<=${JOINED})[\\u200c\\u200d](?=${JOINED})|(?<=${VIRAMA})[\\u200c\\u200d]|(?<=\\p{scx=Arab})(?<=[\\p{L}\\p{M}])\\u200d`,
    // Between two pictographs, the first one perhaps with a colour of skin or a selector.
    '(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d(?=\\p{Extended_Pictographic})',
    '(?<=\\p{Emoji})[\\ufe0e\\ufe0f]|(?<=[\\p{L}\\p{N}\\p{S}])[\\ufe00-\\ufe0d]',
    '(?<=\\p{Ideographic})[\\u{e0100}-\\u{e01ef}]|(?<=\\p{scx=Mong})[\\u180b-\\u180f]',
    // Flags of parts of countries: country and part in tags behind the black flag.
    '(?<=\\u{1f3f4})[\\u{e0030}-\\u{e0039}\\u{e0061}-\\u{e007a}]{3,6}\\u{e007f}',
  ].join('|')})|${FORMAT})`,
  'gu',
);

/** Marks that stand on nothing. */
const LOOSE_MARKS = /(?<=^|\s)[\p{M}\u200c\u200d]+/gu;

/** The visible part of a name, NFC, its spaces folded; empty when there is none. Cleaning it again changes nothing. */
export function visibleText(text: string): string {
  let before: string;
  let after = text;
  do {
    before = after;
    after = before
      .normalize('NFC')
      .replace(SPACES, ' ')
      .replace(NOTHING, '')
      .replace(/([\u200c\u200d])[\u200c\u200d]+/gu, '$1')
      .replace(FORMATS, (_, meant: string | undefined) => meant ?? '')
      .replace(LOOSE_MARKS, '')
      .replace(/ +/gu, ' ')
      .trim();
  } while (after !== before);
  return after;
}

/**
 * The first characters of a text, at most `limit` code points and `bytes` bytes of UTF-8; none that people see as one is cut in two,
 * unless it alone is longer.
 */
export function cut(text: string, limit: number, bytes = Number.POSITIVE_INFINITY): string {
  const segments = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  return first(segments, limit, bytes) || first([...(segments[0] ?? '')], limit, bytes);
}

function first(parts: readonly string[], limit: number, bytes: number): string {
  let shown = '';
  let count = 0;
  let size = 0;
  for (const part of parts) {
    count += [...part].length;
    size += utf8(part).length;
    if (count > limit || size > bytes) break;
    shown += part;
  }
  return shown;
}
