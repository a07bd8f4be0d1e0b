import { visibleText } from '../visible-text.ts';

/** Names and types of files as they may be shown and saved. They come from other people. */

const MAX_NAME_CHARACTERS = 120;
const MAX_EXTENSION_CHARACTERS = 16;
const FALLBACK_NAME = 'file';

/**
 * A file name without anything that could act: no folders, nothing invisible or direction-changing, no leading dots, none of
 * the characters that file systems refuse; at most 120 characters, its extension kept.
 */
export function cleanFileName(name: string): string {
  const flat = visibleText(name.normalize('NFC').replace(/^.*[/\\]/su, ''))
    .replace(/[<>:"|?*]/gu, '_')
    // A mark that stood on a dot stands on nothing.
    .replace(/^[.\s\p{M}]+/u, '')
    // Windows drops them when it saves, and what is left may be another name.
    .replace(/[. ]+$/u, '');
  // Devices of Windows, with or without an extension.
  const safe = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/iu.test(flat) ? `_${flat}` : flat;
  return shorten(safe) || FALLBACK_NAME;
}

function shorten(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_NAME_CHARACTERS) return name;
  const dot = characters.lastIndexOf('.');
  const extension = dot > 0 && characters.length - dot <= MAX_EXTENSION_CHARACTERS ? characters.slice(dot) : [];
  return [...characters.slice(0, MAX_NAME_CHARACTERS - extension.length), ...extension].join('');
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
