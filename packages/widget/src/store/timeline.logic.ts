import type { Message, MessageStatus } from '@qsec2/sdk';
import type { FileView, MessageItem, TimelineItem } from './view';

/** What the widget keeps on screen; the SDK bounds its own history. */
const MAX_ITEMS = 10_000;

/** @param name what its author is called here */
export function messageItem(message: Message, name: string): MessageItem {
  const mine = message.from === 'me';
  return {
    kind: 'message',
    id: message.id,
    at: message.sentAt,
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

const PROGRESS: readonly (MessageStatus | 'read')[] = ['sending', 'failed', 'sent', 'delivered', 'read'];

/** The same message as told twice: what was sent does not become unsent because the older news came later. */
export function newest(known: TimelineItem | undefined, item: MessageItem): MessageItem {
  if (known?.kind !== 'message') return item;
  const { file, done, place } = known;
  const status = PROGRESS.indexOf(known.status) > PROGRESS.indexOf(item.status) ? known.status : item.status;
  // A file on screen stays the one that it is.
  return { ...item, status, ...(file && { file, done, place }) };
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
