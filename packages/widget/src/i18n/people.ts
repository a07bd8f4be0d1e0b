import { enPeople, type PeopleDictionary } from './en-people';
import { closest } from './index';

export type { PeopleDictionary };

/** As in `index.ts`, for the words of the list of people. */
const LANGUAGES: Readonly<Record<string, () => Promise<PeopleDictionary>>> = {};

export async function loadPeopleWords(lang: string): Promise<PeopleDictionary> {
  const load = closest(LANGUAGES, lang);
  return load ? await load() : enPeople;
}
