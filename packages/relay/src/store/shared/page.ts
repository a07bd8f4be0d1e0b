import type { Frame } from '../../frames/item.ts';
import type { Page } from '../store.ts';

/**
 * A page whose floor fits its frames, though others trimmed the log between the two reads: what is missing before the first
 * frame is what is no longer kept.
 */
export function pageOf(frames: Frame[], after: number, { floor, head }: { floor: number; head: number }): Page {
  const first = frames[0]?.seq;
  if (first === undefined) return { frames, floor, head };
  return { frames, floor: first > after + 1 ? first - 1 : Math.min(floor, after), head: Math.max(head, frames.at(-1)!.seq) };
}
