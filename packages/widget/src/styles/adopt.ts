/** What importing a `.css` file gives: Stencil types it as text and hands over a function that returns it. */
export type ImportedCss = string | (() => string);

const sheets = new Map<readonly ImportedCss[], CSSStyleSheet>();

/**
 * Gives the tree that `host` is in a style sheet, once. The parts of the widget share one shadow root, so that ids, `::part`
 * and focus work across them; Stencil would put their styles into `<style>` elements, which a strict content security
 * policy refuses. A constructed sheet is allowed.
 */
export function adoptStyles(host: HTMLElement, css: readonly ImportedCss[]): void {
  const root = host.getRootNode();
  if (!(root instanceof ShadowRoot || root instanceof Document)) return;
  let sheet = sheets.get(css);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css.map((part) => (typeof part === 'function' ? part() : part)).join(''));
    sheets.set(css, sheet);
  }
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}
