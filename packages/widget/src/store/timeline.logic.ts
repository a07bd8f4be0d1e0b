import type { Message, MessageStatus } from '@qsec2/sdk';
import type { FileView, MessageItem, TimelineItem } from './view';

/** What the widget keeps on screen; the SDK bounds its own history. */
const MAX_ITEMS = 10_000;

/** A message that claims to be older than that has a clock behind it that is wrong, or was so long on its way that only now counts. */
const OLDEST_MS = 24 * 3_600_000;
/** Clocks differ by less. */
const AHEAD_MS = 5 * 60_000;

/** When a message counts as written: when its author says so, unless their clock is far off. Then it is when it came, or by now at the latest. */
function timeOf({ from, sentAt }: Message, fresh: boolean, now: Date): Date {
  const age = now.getTime() - sentAt.getTime();
  const wrong = age < -AHEAD_MS || (fresh && age > OLDEST_MS);
  return wrong && from !== 'me' ? now : sentAt;
}

/**
 * @param name what its author is called here
 * @param fresh whether it came just now
 */
export function messageItem(message: Message, name: string, fresh = false, now = new Date()): MessageItem {
  const mine = message.from === 'me';
  return {
    kind: 'message',
    id: message.id,
    at: timeOf(message, fresh, now),
    mine,
    author: message.from === 'me' ? 'me' : message.from.id,
    name,
    text: message.text ?? '',
    status: message.status,
    file: fileView(message),
  };
}

function fileView({ file, voice }: Message): FileView | undefined {
  const content = file ?? voice;
  if (!content) return undefined;
  const { name, type, size } = content;
  const { thumbnail } = content;
  return { name, type, size, voice, thumbnail, blob: (options) => content.blob(options) };
}

/** Adds an item at the end, or puts it in the place of the one with the same id. */
export function upsert(timeline: readonly TimelineItem[], item: TimelineItem): readonly TimelineItem[] {
  const at = timeline.findLastIndex(({ id }) => id === item.id);
  if (at >= 0) return timeline.with(at, item);
  return [...timeline, item].slice(-MAX_ITEMS);
}

const PROGRESS: readonly MessageStatus[] = ['sending', 'unaddressed', 'failed', 'sent', 'expired', 'delivered', 'read'];

/**
 * The same message as told twice.
 * @param update whether the room told it later; else what was sent does not become unsent because the older news came later
 */
export function newest(known: TimelineItem | undefined, item: MessageItem, update = false): MessageItem {
  if (known?.kind !== 'message') return item;
  const { at, file, done, place } = known;
  const further = PROGRESS.indexOf(known.status);
  const stale = further > PROGRESS.indexOf(item.status) && (!update || further >= PROGRESS.indexOf('delivered'));
  const status = stale ? known.status : item.status;
  // A file on screen stays the one that it is.
  return { ...item, at, status, ...(file && { file, done, place }) };
}

/** Puts the message that a file became in the place of the file on its way. */
export function settle(timeline: readonly TimelineItem[], upload: MessageItem, item: MessageItem): readonly TimelineItem[] {
  const known = timeline.find(({ id }) => id === item.id);
  const sent = { ...newest(known, item), file: upload.file, done: undefined, place: upload.id };
  return timeline.flatMap((one): TimelineItem[] => {
    if (one.id === upload.id) return [sent];
    return one.id === item.id ? [] : [one];
  });
}

/** Our own messages that the relay does not have yet. */
export function queuedCount(timeline: readonly TimelineItem[]): number {
  return timeline.filter((item) => item.kind === 'message' && item.mine && item.status === 'sending').length;
}
