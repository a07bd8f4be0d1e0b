/** Loads the page again. @param code of the invite that was taken out of its address, to be followed then */
export function reloadPage(code = ''): void {
  if (code) history.replaceState(history.state, '', `#${code}`);
  location.reload();
}
