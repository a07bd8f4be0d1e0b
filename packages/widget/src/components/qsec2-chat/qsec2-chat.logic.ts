/** An invite's code in a fragment, alone or behind a route, where no word leads into it. The SDK writes it there. */
const CODE = /([#?&/!])(q2\.[\w-]+)(&?)/;

/** The invite in a fragment as `location.hash` gives it, or undefined when there is none: an anchor or a route of the page. */
export const inviteInFragment = (hash: string): string | undefined => CODE.exec(hash)?.[2];

/** The fragment without the invite: the route it stood behind, or nothing. */
export const fragmentWithout = (hash: string): string =>
  hash.replace(CODE, (_, before: string, __, after: string) => (after || /[/!]/.test(before) ? before : ''));

/**
 * The address that is to be shown, and kept in the history, in the place of one with an invite in it. A link that names no route of its own
 * leaves the page where it was.
 *
 * @param before address of the page before the link was opened in it, if it was there
 */
export function addressWithout(href: string, before: string | undefined): string {
  const url = new URL(href);
  const own = fragmentWithout(url.hash);
  url.hash = own || (before ? fragmentWithout(new URL(before).hash) : '');
  return url.href;
}

const BADGE_LIMIT = 99;

export const badgeText = (unread: number): string => (unread > BADGE_LIMIT ? `${BADGE_LIMIT}+` : String(unread));

/** The page's title with the number of unread messages in front, and as it was when there is none. */
export function titleWith(unread: number, title: string): string {
  const plain = title.replace(/^\(\d+\+?\) /, '');
  return unread > 0 ? `(${badgeText(unread)}) ${plain}` : plain;
}
