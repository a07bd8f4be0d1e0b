import type { Frame } from '../../frames/item.ts';
import type { Page } from '../store.ts';

/** Where a log begins and ends, and its epoch; undefined when there is no such room. */
export interface Bounds {
  floor: number;
  head: number;
  epoch: string | undefined;
}

/**
 * A page whose floor fits its frames, though others trimmed the log between the two reads: what is missing before the first
 * frame is what is no longer kept.
 */
export function pageOf(frames: Frame[], after: number, { floor, head, epoch }: Bounds): Page {
  const first = frames[0]?.seq;
  if (first === undefined) return { frames, floor, head, epoch };
  const kept = first > after + 1 ? first - 1 : Math.min(floor, after);
  return { frames, floor: kept, head: Math.max(head, frames.at(-1)!.seq), epoch };
}
