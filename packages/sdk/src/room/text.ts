import { check, type Kind } from '../arguments.ts';
import { QsecError } from '../errors.ts';
import { cut, visibleText } from '../visible-text.ts';
import { type Bytes, utf8 } from '../wire/index.ts';

/** Longest text of one message, bytes of UTF-8: with padding and headers it stays far below a frame. */
export const MAX_TEXT_BYTES = 65_536;
const MAX_NAME_CHARACTERS = 64;
const MAX_EMOJI_BYTES = 64;

/** A name as it may be shown: its visible part, at most 64 characters. */
export const cleanName = (name: string, fallback: string): string =>
  visibleText(cut(visibleText(name), MAX_NAME_CHARACTERS)) || fallback;

const SOME_TEXT: Kind = {
  expected: 'a string that is not empty',
  accepts: (value) => typeof value === 'string' && value.trim() !== '',
};

/** @throws {QsecError} `INVALID_ARGUMENT` for an empty text, `MESSAGE_TOO_LARGE` for one above 64 KiB */
export function checkText(text: string): void {
  check('text', text, SOME_TEXT);
  const { length } = utf8(text);
  if (length > MAX_TEXT_BYTES) {
    throw new QsecError('MESSAGE_TOO_LARGE', `This text has ${length} bytes; at most ${MAX_TEXT_BYTES} fit one message.`, {
      details: { size: length, limit: MAX_TEXT_BYTES },
    });
  }
}

/** Digits in groups of four, for people to read. */
export const groupsOfFour = (digits: string): string => digits.replace(/(.{4})(?=.)/g, '$1 ');

/** Lower-case hexadecimal. */
export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** @throws {QsecError} `INVALID_ARGUMENT`, naming the argument, unless `text` is `length` bytes in lower-case hexadecimal */
export function fromHex(text: string, length: number, argument: string): Bytes {
  if (typeof text !== 'string' || text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) {
    throw new QsecError('INVALID_ARGUMENT', `"${argument}" expected the id of a message, ${2 * length} hexadecimal digits.`);
  }
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** Whether a text is one emoji, as people see it: newer ones than this platform knows included. */
export function isEmoji(text: string): boolean {
  if (utf8(text).length > MAX_EMOJI_BYTES) return false;
  // A pictograph, a flag, or a digit in a key cap.
  const emoji = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*\d]\ufe0f?\u20e3)/u;
  return emoji.test(text) && [...new Intl.Segmenter().segment(text)].length === 1;
}
