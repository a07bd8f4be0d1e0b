const STEPS: Readonly<Record<string, 'next' | 'previous' | 'first' | 'last'>> = {
  ArrowDown: 'next',
  ArrowUp: 'previous',
  Home: 'first',
  End: 'last',
};

/** Moves the focus among the elements that match `selector` in the element that listens, with the arrow keys, Home and End. */
export function moveFocus(event: KeyboardEvent, selector: string): void {
  const step = STEPS[event.key];
  const box = event.currentTarget;
  if (!step || !(box instanceof HTMLElement)) return;
  const items = [...box.querySelectorAll<HTMLElement>(selector)];
  if (items.length === 0) return;
  event.preventDefault();
  const at = items.findIndex((item) => item.matches(':focus'));
  const last = items.length - 1;
  const target = { next: Math.min(at + 1, last), previous: Math.max(at - 1, 0), first: 0, last }[step];
  items[target]?.focus();
}
