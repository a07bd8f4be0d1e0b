export type Piece = { text: string; href?: string };

const START = /\b(?:https?:\/\/|mailto:)/gi;
/**
 * No link goes on behind them: white space, quotation marks of any script, brackets of markup, what shows nothing or turns the
 * direction of a text, and the punctuation of scripts that put no space behind it.
 */
const END = /[\s<>`\p{Quotation_Mark}\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}、。〃〜！，．：；？｡､･]/u;
/** Of those, what may stand inside: joiners and selectors of scripts and emoji. */
const INSIDE: ReadonlySet<string> = new Set(['\u200c', '\u200d', '\ufe0e', '\ufe0f']);
const APOSTROPHE = /['’]/;
const LETTER = /[\p{L}\p{N}]/u;
/** What belongs to the sentence when nothing of the link comes behind it. */
const TRAILING = /[\p{Terminal_Punctuation}\p{Ps}\p{Join_Control}…‥–—―]/u;
const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);

/** Splits a text into plain pieces and links. Nothing is parsed as markup: the pieces become text nodes. */
export function linkify(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  let read = 0;
  for (const { 0: scheme, index } of text.matchAll(START)) {
    // Nothing is read twice: that would take minutes in a text made for it.
    if (index < read) continue;
    const shown = scheme + addressAt(text, index + scheme.length);
    read = index + shown.length;
    const href = safeHref(shown);
    if (!href) continue;
    if (index > end) pieces.push({ text: text.slice(end, index) });
    pieces.push({ text: shown, href });
    end = read;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** The rest of a link from `start` on. A closing bracket belongs to it when it was opened in it. */
function addressAt(text: string, start: number): string {
  const open: string[] = [];
  let at = start;
  let end = start;
  let before = '';
  for (const character of codePointsFrom(text, start)) {
    const next = at + character.length;
    const apostrophe =
      APOSTROPHE.test(character) && LETTER.test(before) && LETTER.test(String.fromCodePoint(text.codePointAt(next) ?? 0));
    if (END.test(character) && !INSIDE.has(character) && !apostrophe) break;
    if (/\p{Pe}/u.test(character) && open.pop() !== openingOf(character)) break;
    if (/\p{Ps}/u.test(character)) open.push(character);
    at = next;
    before = character;
    if (!TRAILING.test(character)) end = at;
  }
  return text.slice(start, end);
}

function* codePointsFrom(text: string, start: number): Generator<string> {
  for (let at = start; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) as number);
    yield character;
    at += character.length;
  }
}

/** Unicode puts the two of a pair beside each other, or one apart as in `[\]`; in `﴿ ﴾` the other way round. */
function openingOf(closing: string): string | undefined {
  const code = closing.codePointAt(0) as number;
  return [code - 1, code - 2, code + 1].map((one) => String.fromCodePoint(one)).find((one) => /\p{Ps}/u.test(one));
}

/** The address to open, or undefined for what must not be one: other schemes, and names that pose as the host before an `@`. */
function safeHref(link: string): string | undefined {
  if (!URL.canParse(link)) return undefined;
  const url = new URL(link);
  if (!SCHEMES.has(url.protocol) || url.username || url.password) return undefined;
  return url.href;
}
