import type { Dictionary } from '../../i18n';

export const MAX_NAME = 64;
export const MIN_PEOPLE = 2;
export const MAX_PEOPLE = 16;

const MARK = 'q2.';
/** An invite's 69 bytes as base64url, without padding. */
const CODE_LENGTH = 92;

/** What is wrong with a pasted invite as far as its shape tells, or an empty text. The SDK has the last word on it. */
export function inviteError(text: string, t: Pick<Dictionary, 'inviteMissing' | 'inviteNone' | 'inviteShort'>): string {
  const trimmed = text.trim();
  if (!trimmed) return t.inviteMissing;
  const at = trimmed.lastIndexOf(MARK);
  if (at < 0) return t.inviteNone;
  const code = trimmed.slice(at + MARK.length);
  return code.length === CODE_LENGTH && /^[\w-]+$/.test(code) ? '' : t.inviteShort;
}

/** What is wrong with a name or a label, or an empty text. Both may be left out. */
export function nameError(name: string, t: Pick<Dictionary, 'nameLong'>): string {
  return [...name.trim()].length > MAX_NAME ? t.nameLong(MAX_NAME) : '';
}

export const clampPeople = (n: number): number => Math.min(Math.max(n, MIN_PEOPLE), MAX_PEOPLE);
