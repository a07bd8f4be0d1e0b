import { QsecError } from '../errors.ts';
import { utf8 } from '../wire/index.ts';

/** Longest text of one message, bytes of UTF-8: with padding and headers it stays far below a frame. */
export const MAX_TEXT_BYTES = 65_536;
const MAX_NAME_CHARACTERS = 64;

/** A name as it may be shown: no control or direction-changing characters, white space folded, at most 64 characters. */
export function cleanName(name: string, fallback: string): string {
  const folded = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
  return [...folded].slice(0, MAX_NAME_CHARACTERS).join('') || fallback;
}

/** @throws {QsecError} `INVALID_ARGUMENT` for an empty text, `MESSAGE_TOO_LARGE` for one above 64 KiB */
export function checkText(text: unknown): string {
  if (typeof text !== 'string' || text.trim() === '') {
    throw new QsecError('INVALID_ARGUMENT', 'A message needs some text.');
  }
  const { length } = utf8(text);
  if (length > MAX_TEXT_BYTES) {
    throw new QsecError('MESSAGE_TOO_LARGE', `This text has ${length} bytes; at most ${MAX_TEXT_BYTES} fit one message.`, {
      details: { size: length, limit: MAX_TEXT_BYTES },
    });
  }
  return text;
}

/** Digits in groups of four, for people to read. */
export const groupsOfFour = (digits: string): string => digits.replace(/(.{4})(?=.)/g, '$1 ');

/** Lower-case hexadecimal. */
export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
