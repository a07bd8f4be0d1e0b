/**
 * The parts that are not there from the start. Stencil's own loader defines every tag by itself; builds that bundle the
 * component classes would pull all of them into the launcher, so there each part is defined when it is first shown.
 */
export const LAZY = {
  panel: 'qsec2-panel',
  security: 'qsec2-security',
  people: 'qsec2-people',
  leave: 'qsec2-leave',
  file: 'qsec2-file',
  voice: 'qsec2-voice',
  recorder: 'qsec2-recorder',
} as const;

export type LazyTag = (typeof LAZY)[keyof typeof LAZY];

let definers: Partial<Record<LazyTag, () => Promise<unknown>>> = {};

/** Tells how to define each part. The first one that is shown loads it. */
export function setLazyElements(loaders: Record<LazyTag, () => Promise<unknown>>): void {
  definers = loaders;
}

/** Defines `tag` if nobody has. It must be over before the element is rendered: what is set on it earlier is lost. */
export async function needElement(tag: LazyTag): Promise<void> {
  if (!customElements.get(tag)) await definers[tag]?.();
}

/** Asked of the panel by what is inside of it; `detail` is what needs a part. Stays within the widget. */
export const PART_NEEDED = 'qsec2-part-needed';

/** Has the panel do what needs a part, and say so where the part did not come. */
export function withPart(el: HTMLElement, act: () => Promise<unknown>): void {
  el.dispatchEvent(new CustomEvent(PART_NEEDED, { bubbles: true, detail: act }));
}
