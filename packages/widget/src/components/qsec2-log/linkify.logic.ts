export type Piece = { text: string; href?: string };

const CANDIDATE = /\b(?:https?:\/\/|mailto:)[^\s<>"']+/gi;
const TRAILING = /[.,;:!?…]+$/;
const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);

/** Splits a text into plain pieces and links. Nothing is parsed as markup: the pieces become text nodes. */
export function linkify(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = trimmed(match[0]);
    const href = safeHref(shown);
    if (!href) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: shown, href });
    end = match.index + shown.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** Punctuation at the end belongs to the sentence, a closing bracket too unless the link opened it. */
function trimmed(candidate: string): string {
  let link = candidate.replace(TRAILING, '');
  while (link.endsWith(')') && count(link, ')') > count(link, '(')) link = link.slice(0, -1).replace(TRAILING, '');
  return link;
}

const count = (text: string, character: string): number => text.split(character).length - 1;

/** The address to open, or undefined for what must not be one: other schemes, and names that pose as the host before an `@`. */
function safeHref(link: string): string | undefined {
  if (!URL.canParse(link)) return undefined;
  const url = new URL(link);
  if (!SCHEMES.has(url.protocol) || url.username || url.password) return undefined;
  return url.href;
}
