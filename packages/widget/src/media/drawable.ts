import { MAX_DRAWN_PIXELS, pictureOf } from '@qsec2/sdk/pictures';

/** Why a picture is not drawn; undefined when it is. */
export type NotDrawn = { width: number; height: number } | 'unknown' | undefined;

/**
 * Whether a picture may be drawn without being asked for, by its own header: drawing takes four bytes a pixel, and a file of some kilobytes
 * can have billions.
 */
export async function notDrawn(file: Blob): Promise<NotDrawn> {
  // A file that cannot be read cannot be drawn either.
  const picture = await pictureOf(file).catch(() => undefined);
  if (!picture) return 'unknown';
  const { width, height } = picture;
  return width * height > MAX_DRAWN_PIXELS ? { width, height } : undefined;
}
