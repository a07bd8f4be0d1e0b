import { jpegSize } from './jpeg.ts';
import { beginsWith, type Picture, type PictureFormat, pictureIn } from './picture.ts';
import { pngSize } from './png.ts';
import { webpSize } from './webp.ts';

/** The kinds of small pictures a message may carry. What it is shows in its first bytes, not in what anyone says of it. */
export const SMALL_FORMATS: readonly PictureFormat[] = [
  { type: 'image/png', begins: beginsWith([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), size: pngSize },
  { type: 'image/jpeg', begins: beginsWith([0xff, 0xd8, 0xff]), size: jpegSize },
  // RIFF, length, WEBP.
  { type: 'image/webp', begins: (bytes) => beginsWith(RIFF)(bytes) && beginsWith(WEBP, 8)(bytes), size: webpSize },
];

const RIFF = [0x52, 0x49, 0x46, 0x46];
const WEBP = [0x57, 0x45, 0x42, 0x50];

/** Four bytes each in memory: a log may show many. Above anything that stands for another picture. */
export const MAX_THUMBNAIL_PIXELS = 4_000_000;

/** A PNG, JPEG or WebP that can stand for a file; undefined for anything else, and for one that would take too much to draw. */
export function smallPicture(bytes: Uint8Array): Picture | undefined {
  const picture = pictureIn(bytes, SMALL_FORMATS);
  return picture && picture.width * picture.height <= MAX_THUMBNAIL_PIXELS ? picture : undefined;
}
