const sheets = new Map<string, CSSStyleSheet>();

/**
 * Gives the tree that `host` is in the style sheet `css`, once. The parts of the widget share one shadow root, so that
 * ids, `::part` and focus work across them; Stencil would put their styles into `<style>` elements, which a strict
 * content security policy refuses. A constructed sheet is allowed.
 *
 * @param css what importing a `.css` file gives: Stencil types it as text and hands over a function that returns it.
 */
export function adoptStyles(host: HTMLElement, css: string | (() => string)): void {
  const root = host.getRootNode();
  if (!(root instanceof ShadowRoot || root instanceof Document)) return;
  const text = typeof css === 'function' ? css() : css;
  let sheet = sheets.get(text);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.set(text, sheet);
  }
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}
