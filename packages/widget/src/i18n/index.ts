import { type Dictionary, en } from './en';

export type { Dictionary };

/** Languages besides English, each in a chunk of its own: `de: () => import('./de').then((m) => m.de)`. */
const LANGUAGES: Readonly<Record<string, () => Promise<Dictionary>>> = {};

/** The dictionary of the closest language there is to `lang`, with what the page replaced in it. */
export async function loadDictionary(lang: string, overrides: Partial<Dictionary> = {}): Promise<Dictionary> {
  const load = LANGUAGES[lang.toLowerCase()] ?? LANGUAGES[lang.toLowerCase().split('-')[0] ?? ''];
  const words = load ? await load() : en;
  return { ...words, ...overrides };
}
