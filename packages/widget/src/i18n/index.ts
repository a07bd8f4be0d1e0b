import type { QsecErrorCode } from '@qsec2/sdk';
import { type Dictionary, en } from './en';

export type { Dictionary };

/** Languages besides English, each in a chunk of its own: `de: () => import('./de').then((m) => m.de)`. */
const LANGUAGES: Readonly<Record<string, () => Promise<Dictionary>>> = {};

/** What a failure is called. */
export const problemTitle = (code: QsecErrorCode, t: Dictionary): string => t.problems[code] ?? t.otherProblem;

/** The entry of the closest language there is to `lang`: its own, or that of the language without the region. */
export function closest<T>(languages: Readonly<Record<string, T>>, lang: string): T | undefined {
  const tag = lang.toLowerCase();
  return languages[tag] ?? languages[tag.split('-')[0] ?? ''];
}

/** The dictionary of the closest language there is to `lang`, with what the page replaced in it. */
export async function loadDictionary(lang: string, overrides: Partial<Dictionary> = {}): Promise<Dictionary> {
  const load = closest(LANGUAGES, lang);
  return { ...(load ? await load() : en), ...overrides };
}
