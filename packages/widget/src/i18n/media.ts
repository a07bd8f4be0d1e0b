import { enMedia, type MediaDictionary } from './en-media';
import { closest } from './index';

export type { MediaDictionary };

/** As in `index.ts`, for the words of files and voice messages. */
const LANGUAGES: Readonly<Record<string, () => Promise<MediaDictionary>>> = {};

export async function loadMediaWords(lang: string): Promise<MediaDictionary> {
  const load = closest(LANGUAGES, lang);
  return load ? await load() : enMedia;
}
