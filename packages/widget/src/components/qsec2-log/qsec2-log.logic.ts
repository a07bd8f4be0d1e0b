import type { KeyItem, MessageItem, NoteItem, TimelineItem } from '../../store/view';

/** Messages of one person that are closer together than this stand as one group. */
const GROUP_MS = 3 * 60_000;

/** This close to the end a reader counts as being there. */
const NEAR_END_PX = 48;

export type Row =
  | { kind: 'day'; id: string; at: Date }
  | { kind: 'message'; id: string; item: MessageItem; first: boolean; last: boolean }
  | { kind: 'note'; id: string; item: NoteItem }
  | { kind: 'key'; id: string; item: KeyItem };

const sameDay = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString();

const joins = (a: TimelineItem | undefined, b: TimelineItem | undefined): boolean =>
  a?.kind === 'message' &&
  b?.kind === 'message' &&
  a.author === b.author &&
  sameDay(a.at, b.at) &&
  Math.abs(b.at.getTime() - a.at.getTime()) < GROUP_MS;

/** The rows of the log: a line for each new day, messages with their place in a group, notes between them. */
export function rowsOf(timeline: readonly TimelineItem[]): readonly Row[] {
  return timeline.flatMap((item, i): Row[] => {
    const before = timeline[i - 1];
    const rows: Row[] = [];
    if (!before || !sameDay(before.at, item.at))
      rows.push({ kind: 'day', id: `day-${item.at.toDateString()}-${i}`, at: item.at });
    if (item.kind === 'message') {
      rows.push({ kind: 'message', id: item.id, item, first: !joins(before, item), last: !joins(item, timeline[i + 1]) });
    } else if (item.kind === 'note') rows.push({ kind: 'note', id: item.id, item });
    else rows.push({ kind: 'key', id: item.id, item });
    return rows;
  });
}

/** Today and yesterday by name, other days by date. */
export function dayName(
  at: Date,
  now: Date,
  words: { today: string; yesterday: string },
  format: (date: Date, now: Date) => string,
): string {
  if (sameDay(at, now)) return words.today;
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  return sameDay(at, yesterday) ? words.yesterday : format(at, now);
}

export interface Scroll {
  scrollTop: number;
  clientHeight: number;
  scrollHeight: number;
}

export const isNearEnd = ({ scrollTop, clientHeight, scrollHeight }: Scroll): boolean =>
  scrollHeight - scrollTop - clientHeight <= NEAR_END_PX;

/** Messages of others that came after the one with the id `seen`. */
export function newerCount(timeline: readonly TimelineItem[], seen: string | undefined): number {
  const at = timeline.findIndex(({ id }) => id === seen);
  return timeline.slice(at + 1).filter((item) => item.kind === 'message' && !item.mine).length;
}
