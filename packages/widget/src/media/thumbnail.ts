import { notDrawn } from './drawable';
import { ObjectUrls } from './object-urls';

/** Longest side, in pixels. Nothing smaller gets a thumbnail: the picture itself is there as soon. */
const SIDE = 320;
/** What a message carries at most; a picture of this size takes a third of it. */
const MAX_BYTES = 65_536;
const QUALITY = 0.72;
/** A video that shows nothing by then goes without. */
const VIDEO_MS = 3000;
/** Many videos begin with black. */
const VIDEO_AT_SECONDS = 1;
/** Not every browser writes WebP; the first one that comes out as asked is taken. */
const FORMATS = ['image/webp', 'image/jpeg'] as const;

/**
 * A small picture of a picture or video, to be shown before the file itself is fetched. It holds pixels only: no place, no
 * time and no camera of the file's metadata.
 *
 * @param kind what the file is shown as
 * @returns undefined for what is small anyway, too large to be drawn, or what this browser cannot decode
 */
export async function thumbnailOf(file: Blob, kind: 'image' | 'video'): Promise<Blob | undefined> {
  try {
    if (kind === 'image' && (await notDrawn(file))) return undefined;
    return await (kind === 'image' ? ofImage(file) : ofVideo(file));
  } catch {
    // A file that shows nothing is sent all the same; its card says that it cannot be shown.
    return undefined;
  }
}

async function ofImage(file: Blob): Promise<Blob | undefined> {
  const image = await createImageBitmap(file);
  try {
    return await scaled(image, image.width, image.height);
  } finally {
    image.close();
  }
}

async function ofVideo(file: Blob): Promise<Blob | undefined> {
  const urls = new ObjectUrls();
  const video = document.createElement('video');
  try {
    video.muted = true;
    video.preload = 'auto';
    video.src = urls.of(file);
    await told(video, 'loadeddata');
    if (video.duration > 2 * VIDEO_AT_SECONDS) {
      video.currentTime = VIDEO_AT_SECONDS;
      await told(video, 'seeked');
    }
    return await scaled(video, video.videoWidth, video.videoHeight);
  } finally {
    video.removeAttribute('src');
    video.load();
    urls.revokeAll();
  }
}

function told(video: HTMLVideoElement, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the video shows nothing')), VIDEO_MS);
    const settle = (how: () => void) => () => {
      clearTimeout(late);
      how();
    };
    video.addEventListener(event, settle(resolve), { once: true });
    video.addEventListener(
      'error',
      settle(() => reject(video.error)),
      { once: true },
    );
  });
}

async function scaled(source: CanvasImageSource, width: number, height: number): Promise<Blob | undefined> {
  const scale = SIDE / Math.max(width, height);
  if (!(scale < 1)) return undefined;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const brush = canvas.getContext('2d');
  if (!brush) return undefined;
  brush.imageSmoothingQuality = 'high';
  brush.drawImage(source, 0, 0, canvas.width, canvas.height);
  for (const type of FORMATS) {
    const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY));
    if (picture?.type === type && picture.size <= MAX_BYTES) return picture;
  }
  return undefined;
}
