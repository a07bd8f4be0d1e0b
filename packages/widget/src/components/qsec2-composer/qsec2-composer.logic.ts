/** What sending needs to know of a key press. */
export interface KeyPress {
  key: string;
  shiftKey: boolean;
  isComposing: boolean;
  keyCode: number;
}

/** Key code of every press while an input method is composing, in browsers that say so in no other way. */
const COMPOSING = 229;

/** Whether a key press sends: Enter does, Shift+Enter breaks the line, and Enter that picks a word of an input method does neither. */
export function sends({ key, shiftKey, isComposing, keyCode }: KeyPress): boolean {
  return key === 'Enter' && !shiftKey && !isComposing && keyCode !== COMPOSING;
}

const LINE = 22;
const MAX_LINES = 6;

/** Height of the text field for its content, in pixels: as tall as the text, up to six lines. */
export function fieldHeight(contentHeight: number, padding: number): number {
  return Math.min(contentHeight, LINE * MAX_LINES + padding);
}
