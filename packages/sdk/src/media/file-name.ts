import { cut, visibleText } from '../visible-text.ts';
import { utf8 } from '../wire/index.ts';

/** Names and types of files as they may be shown and saved. They come from other people. */

const MAX_NAME_CHARACTERS = 120;
/** What file systems take, in UTF-8. */
const MAX_NAME_BYTES = 255;
const MAX_EXTENSION_CHARACTERS = 16;
const FALLBACK_NAME = 'file';
/** Devices of Windows, with or without an extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³]) *(?:\.|$)/iu;

/**
 * A file name without anything that could act: no folders, nothing invisible or direction-changing, no leading dots, none of
 * the characters that file systems refuse; at most 120 characters and 255 bytes of UTF-8, its extension kept.
 */
export function cleanFileName(name: string): string {
  const flat = visibleText(name.normalize('NFC').replace(/^.*[/\\]/su, ''))
    .replace(/[<>:"|?*]/gu, '_')
    // A mark that stood on a dot stands on nothing.
    .replace(/^[.\s\p{M}]+/u, '')
    // Windows drops them when it saves, and what is left may be another name.
    .replace(/[. ]+$/u, '');
  const safe = DEVICE.test(flat) ? `_${flat}` : flat;
  return shorten(safe) || FALLBACK_NAME;
}

/** Cuts the part before the extension, between what people see as characters. */
function shorten(name: string): string {
  const extension = /(?<=.)\.[^.]*$/su.exec(name)?.[0] ?? '';
  const kept = [...extension].length <= MAX_EXTENSION_CHARACTERS ? extension : '';
  const stem = name.slice(0, name.length - kept.length);
  const short = cut(stem, MAX_NAME_CHARACTERS - [...kept].length, MAX_NAME_BYTES - utf8(kept).length);
  return short === stem ? name : short.replace(/[. ]+$/u, '') + kept;
}

export const UNKNOWN_TYPE = 'application/octet-stream';
const TOKEN = "[a-z0-9!#$%&'*+.^_`|~-]{1,64}";
/** type/subtype with parameters (RFC 9110 §8.3.1), without quoted values. */
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}(?:; ?${TOKEN}=${TOKEN}){0,4}$`);

/** A media type in lower case, or `application/octet-stream` for anything that is none. */
export function cleanMediaType(type: string): string {
  const lower = type.trim().toLowerCase();
  return MEDIA_TYPE.test(lower) ? lower : UNKNOWN_TYPE;
}

/** Types that a browser shows without running anything. */
const PASSIVE =
  /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain|application\/octet-stream)(?:;|$)/;

/**
 * The type to give a Blob of a file that someone sent. An object URL has the origin of the page that made it: opened as HTML, SVG or
 * PDF it could act as that page, so that such files become plain bytes.
 */
export const blobType = (type: string): string => (PASSIVE.test(type) ? type : UNKNOWN_TYPE);
