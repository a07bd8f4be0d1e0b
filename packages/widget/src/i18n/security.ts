import { enSecurity, type SecurityDictionary } from './en-security';
import { closest } from './index';

export type { SecurityDictionary };

/** As in `index.ts`, for the words of the security panel. */
const LANGUAGES: Readonly<Record<string, () => Promise<SecurityDictionary>>> = {};

export async function loadSecurityWords(lang: string): Promise<SecurityDictionary> {
  const load = closest(LANGUAGES, lang);
  return load ? await load() : enSecurity;
}
