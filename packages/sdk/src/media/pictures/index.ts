/**
 * How large pictures are, before anything draws them: a file of some kilobytes can take gigabytes.
 *
 * @packageDocumentation
 */
import { avifSize } from './avif.ts';
import { bmpSize } from './bmp.ts';
import { gifSize } from './gif.ts';
import { beginsWith, type Picture, type PictureFormat, pictureIn } from './picture.ts';
import { SMALL_FORMATS } from './small.ts';

export type { Picture };

const FORMATS: readonly PictureFormat[] = [
  ...SMALL_FORMATS,
  { type: 'image/gif', begins: beginsWith([0x47, 0x49, 0x46, 0x38]), size: gifSize },
  { type: 'image/bmp', begins: beginsWith([0x42, 0x4d]), size: bmpSize },
  // The length of a box, then "ftyp".
  { type: 'image/avif', begins: beginsWith([0x66, 0x74, 0x79, 0x70], 4), size: avifSize },
];

/** What is not looked at: no picture that is worth drawing takes that many bytes. */
const MAX_BYTES = 64 * 2 ** 20;

/** Pixels up to which a picture may be drawn without being asked for: 160 MB. */
export const MAX_DRAWN_PIXELS = 40_000_000;

/**
 * Reads what a picture is and how large, from its own bytes: PNG, JPEG, GIF, WebP, AVIF and BMP, animated or not. Of every size that a
 * file tells it is the largest, since a decoder may believe any.
 *
 * @returns undefined for anything else, and where the size cannot be told: draw neither
 *
 * @example
 * ```ts
 * const picture = await pictureOf(await message.file.blob());
 * const drawn = picture !== undefined && picture.width * picture.height <= MAX_DRAWN_PIXELS;
 * ```
 */
export async function pictureOf(file: Blob): Promise<Picture | undefined> {
  if (file.size > MAX_BYTES) return undefined;
  return pictureIn(new Uint8Array(await file.arrayBuffer()), FORMATS);
}
