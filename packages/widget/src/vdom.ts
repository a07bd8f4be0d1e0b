// Under its own name: Stencil's compiler does not follow another one.
import { h } from '@stencil/core';

/**
 * Translators built into browsers replace a page's text nodes by elements of their own, split and join them. A renderer that keeps its text nodes
 * goes on writing into those that were taken out, and the page shows what was true once. So no text node is ours: each text stands in an element
 * of its own, whose whole content is replaced when it changes. What was translated stays so until then.
 */
function draw(tag: never, attributes: never, ...children: unknown[]): unknown;
function draw(tag: unknown, attributes: unknown, ...children: unknown[]): unknown {
  const make = h as (...parts: unknown[]) => unknown;
  return make(tag, attributes, ...(typeof tag === 'function' ? children : inElements(children, tag === 'text' ? 'tspan' : TEXT)));
}

declare namespace draw {
  export import JSX = h.JSX;
}

export { draw as h };

/** No element that styles or other elements of the widget could be meant by. */
const TEXT = 'qsec2-text';

/** The same children, with each run of texts in an element. */
function inElements(children: readonly unknown[], tag: string): readonly unknown[] {
  const drawn: unknown[] = [];
  let text = '';
  const end = () => {
    if (text) drawn.push(textElement(tag, text));
    text = '';
  };
  for (const child of children.flat(Number.POSITIVE_INFINITY)) {
    if (child === null || child === undefined || typeof child === 'boolean') continue;
    if (typeof child === 'object') {
      end();
      drawn.push(child);
    } else text += String(child);
  }
  end();
  return drawn;
}

const written = new WeakMap<Element, string>();

const textElement = (tag: string, text: string): unknown =>
  h(tag, {
    ref: (element?: Element) => {
      if (!element || (written.get(element) === text && element.textContent)) return;
      written.set(element, text);
      element.textContent = text;
    },
  });
