import type { Message, MessageStatus } from '@qsec2/sdk';
import type { MessageItem, TimelineItem } from './view';

/** What the widget keeps on screen; the SDK bounds its own history. */
const MAX_ITEMS = 10_000;

export function messageItem(message: Message, ownName: string): MessageItem {
  const mine = message.from === 'me';
  return {
    kind: 'message',
    id: message.id,
    at: message.sentAt,
    mine,
    author: message.from === 'me' ? 'me' : message.from.id,
    name: message.from === 'me' ? ownName : message.from.name,
    // Files and voice are told by their name; the widget does not open them.
    text: message.text ?? message.file?.name ?? message.voice?.name ?? '',
    status: message.status,
  };
}

/** Adds an item at the end, or puts it in the place of the one with the same id. */
export function upsert(timeline: readonly TimelineItem[], item: TimelineItem): readonly TimelineItem[] {
  const at = timeline.findLastIndex(({ id }) => id === item.id);
  if (at >= 0) return timeline.with(at, item);
  return [...timeline, item].slice(-MAX_ITEMS);
}

const PROGRESS: readonly MessageStatus[] = ['sending', 'failed', 'sent', 'delivered'];

/** The same message as told twice: what was sent does not become unsent because the older news came later. */
export function newest(known: TimelineItem | undefined, item: MessageItem): MessageItem {
  if (known?.kind !== 'message') return item;
  return PROGRESS.indexOf(known.status) > PROGRESS.indexOf(item.status) ? { ...item, status: known.status } : item;
}

/** Our own messages that the relay does not have yet. */
export function queuedCount(timeline: readonly TimelineItem[]): number {
  return timeline.filter((item) => item.kind === 'message' && item.mine && item.status === 'sending').length;
}
