/** Marks an invite in a URL fragment and tells it from an anchor of the page. */
const MARK = '#q2.';

/** The invite in a fragment as `location.hash` gives it, or undefined when it is an anchor of the page. */
export function inviteInFragment(hash: string): string | undefined {
  return hash.startsWith(MARK) ? hash.slice(1) : undefined;
}

/** The page's address as it is kept in the history once the invite has been taken out of it. */
export function withoutFragment(href: string): string {
  const url = new URL(href);
  url.hash = '';
  return url.href;
}

const BADGE_LIMIT = 99;

export const badgeText = (unread: number): string => (unread > BADGE_LIMIT ? `${BADGE_LIMIT}+` : String(unread));

/** The page's title with the number of unread messages in front, and as it was when there is none. */
export function titleWith(unread: number, title: string): string {
  const plain = title.replace(/^\(\d+\+?\) /, '');
  return unread > 0 ? `(${badgeText(unread)}) ${plain}` : plain;
}
