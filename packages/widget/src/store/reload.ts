/**
 * Loads the page again.
 * @param code of the invite that was taken out of its address, to be followed then. It stands behind the page's route, as in a link
 */
export function reloadPage(code = ''): void {
  const { hash } = location;
  const place = /^#!|[/=]/.test(hash) ? `${hash}${/[?=]/.test(hash) ? '&' : '?'}` : '#';
  if (code) history.replaceState(history.state, '', `${place}${code}`);
  location.reload();
}
