/** Whether people would take one name for another. */

/**
 * Letters that look like Latin ones in common fonts, from confusables.txt of UTS #39: Cyrillic, Greek, Armenian, Cherokee, Lisu, and some
 * Latin letters themselves. Each row: the letter that they are taken for, then those that look like it.
 */
const LOOKALIKES = [
  'A\u0391\u0410\u13aa\ua4ee',
  'B\u0392\u0412\u13f4\ua4d0',
  'C\u0421\u03f9\u13df\ua4da',
  'D\u13a0\ua4d3',
  'E\u0395\u0415\u13ac\ua4f0',
  'F\u03dc\ua4dd',
  'G\u050c\u13c0\ua4d6',
  'H\u0397\u041d\u13bb\ua4e7',
  'J\u037f\u0408\u13ab\ua4d9',
  'K\u039a\u041a\u13e6\ua4d7',
  'L\u13de\ua4e1',
  'M\u039c\u041c\u13b7\ua4df',
  'N\u039d\ua4e0',
  'O0\u039f\u041e\u0555\ua4f3',
  'P\u03a1\u0420\u13e2\ua4d1',
  'Q\u051a',
  'R\u13a1\u13d2\ua4e3',
  'S\u0405\u054f\u13da\ua4e2',
  'T\u03a4\u0422\u13a2\ua4d4',
  'U\u054d\ua4f4',
  'V\u0474\u13d9\ua4e6',
  'W\u051c\u13b3\ua4ea',
  'X\u03a7\u0425\ua4eb',
  'Y\u03a5\u0423\u04ae\ua4ec',
  'Z\u0396\u13c3\ua4dc',
  'a\u03b1\u0430\u0251',
  'b\u042c\u044c\u0184',
  'c\u03f2\u0441\u1d04',
  'd\u0501\u13e7',
  'e\u0435\u0450\u04bd',
  'g\u0261\u0581\u018d',
  'h\u04bb\u0570',
  'i\u03b9\u0456\u0131\u0269\u13a5',
  'j\u0458\u03f3',
  'k\u03ba\u043a',
  'l1I|\u0399\u0406\u04c0\u04cf\u01c0\ua4f2\u05c0',
  'n\u0578\u057c',
  'o\u03bf\u03c3\u043e\u0585\u1d0f\u0d20\u0ae6\u0966',
  'p\u03c1\u0440\u03f1',
  'q\u051b\u0563\u0566',
  'r\u0433\u1d26',
  's\u0455\u01bd\ua731',
  't\u03c4\u0442',
  'u\u03c5\u057d\u1d1c',
  'v\u03bd\u0475\u1d20',
  'w\u051d\u0461\u1d21',
  'x\u03c7\u0445',
  'y\u03b3\u0443\u04af\u028f',
  'z\u1d22',
  // Arabic letters that differ only at the end of a word, or not at all.
  '\u06cc\u064a\u0649',
  '\u06a9\u0643',
  '\u0647\u06c1\u06d5\u06be',
];
const TAKEN_FOR = new Map(LOOKALIKES.flatMap(([for_ = '', ...like]) => like.map((letter) => [letter, for_] as const)));

const lookalikes = (text: string): string => Array.from(text, (letter) => TAKEN_FOR.get(letter) ?? letter).join('');

/** Of a cleaned name, what is compared: what shows little or nothing, and the stretching of Arabic words, is left out. */
const bare = (text: string): string =>
  text.normalize('NFKC').replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}\u0640\u2800]/gu, '');

/** Default case folding, as near as the language has it: by way of upper case, which takes ß and ss together. */
const foldCase = (text: string): string => text.toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');

/**
 * Whether people would take two cleaned names for the same one: NFKC, case folded, what is invisible left out, and the lookalikes above. Not
 * covered: lookalikes between scripts other than these and Latin, letters with marks that are hard to tell apart (ḅ, b), and names
 * that are alike without being the same (Bo, Boo).
 */
export function sameName(a: string, b: string): boolean {
  const [one, other] = [bare(a), bare(b)];
  return foldCase(one) === foldCase(other) || skeleton(one) === skeleton(other);
}

/** Lookalikes are found before case is folded, since В is taken for B and в for nothing, and once more behind it. */
const skeleton = (text: string): string =>
  lookalikes(foldCase(lookalikes(text)))
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w');
