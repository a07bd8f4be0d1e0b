import { createHmac } from 'node:crypto';
import { sameHash } from '../hashes.ts';

/**
 * An operator's token lets whoever shows it make rooms until it expires: `<seconds since 1970>.<HMAC-SHA-256, base64url>`. A
 * site's own server makes one for each visitor it wants to serve; the relay keeps nothing of it.
 */
const TOKEN = /^(\d{1,12})\.([A-Za-z0-9_-]{43})$/;

/** @param expires seconds since 1970 */
export function operatorToken(secret: string, expires: number): string {
  return `${expires}.${mac(secret, `${expires}`).toString('base64url')}`;
}

/** Whether the token is this operator's and has not expired. `now` is milliseconds since 1970. */
export function isOperatorToken(secret: string, token: string | undefined, now: number): boolean {
  const [, expires, tag] = TOKEN.exec(token ?? '') ?? [];
  if (expires === undefined || tag === undefined) return false;
  return sameHash(mac(secret, expires), Buffer.from(tag, 'base64url')) && Number(expires) * 1000 > now;
}

function mac(secret: string, expires: string): Buffer {
  return createHmac('sha256', secret).update(`qsec2 operator token\0${expires}`).digest();
}
