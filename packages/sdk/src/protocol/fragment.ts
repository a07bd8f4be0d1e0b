/**
 * An invite in the fragment of an address, which may also be a route: pages that keep their own state behind the `#` (`#/chat/1`, `#!inbox`,
 * `#q=cats`) read it on. The code stands behind the route as one more parameter, so that routers find the route before it.
 */

/** An invite's code, where no word leads into it. */
const CODE = /([#?&/!])q2\.[\w-]+(&?)/;

/** An address within the page, rather than the name of a place on it. */
const ROUTE = /^#!|[/=]/;

/** @param hash a fragment with its `#`, as `location.hash` gives it, or an empty text. The name of a place on the page is not kept. */
export function withCode(hash: string, code: string): string {
  const kept = withoutCode(hash);
  if (!ROUTE.test(kept)) return `#${code}`;
  return `${kept}${/[?=]/.test(kept) ? '&' : '?'}${code}`;
}

/** The fragment without the invite in it: empty where there was nothing else. */
export function withoutCode(hash: string): string {
  return hash.replace(CODE, (_, before: string, after: string) => (after || before === '/' || before === '!' ? before : ''));
}
