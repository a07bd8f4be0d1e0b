import type { MessageBody } from '../protocol/group-content.ts';
import type { KeptMessage } from '../storage/kept.ts';
import type { Directory } from './directory.ts';
import type { Member, Message, MessageFile, MessageStatus, Reaction, VoiceMessage } from './types.ts';

/** Ourselves, or the id of a member. */
export type Author = 'me' | (string & {});

/** One message with everything that changed it since. */
export interface MessageEntry {
  readonly id: string;
  readonly author: Author;
  readonly kind: MessageBody['kind'];
  /** Ascends in the order messages are shown. */
  order: number;
  /** Of its author's messages: rises with each. */
  readonly index: number;
  readonly sentAt: number;
  readonly replyTo: string | undefined;
  /** Of our own: members who were there and have not said that they read it. */
  readonly unread: Set<string>;
  /** Of our own: whether anybody read it. */
  someoneRead: boolean;
  /** Gone when its author took it back. */
  body: MessageBody | undefined;
  /** The file of `body`, as the application sees it. */
  file: MessageFile | VoiceMessage | undefined;
  edit: { readonly text: string; readonly index: number; readonly at: number } | undefined;
  /** The last reaction of each member; an empty emoji is one that was taken back. */
  readonly reactions: Map<Author, { readonly emoji: string; readonly index: number }>;
  status: MessageStatus;
  /** When it disappears here, milliseconds since 1970. */
  expiresAt: number | undefined;
}

/** What an application sees of a message. */
export function present(entry: MessageEntry, members: Pick<Directory, 'get' | 'find'>): Message {
  const { id, author, kind, sentAt, replyTo, body, file, edit, status, expiresAt } = entry;
  return {
    id,
    from: author === 'me' ? 'me' : members.get(author),
    sentAt: new Date(sentAt),
    kind,
    ...(body?.kind === 'text' && { text: edit?.text ?? body.text }),
    ...(body?.kind === 'file' && file && { file }),
    ...(body?.kind === 'voice' && file && { voice: file as VoiceMessage }),
    ...(replyTo !== undefined && { replyTo }),
    ...(edit && { edited: new Date(edit.at) }),
    reactions: grouped(entry.reactions, (by) => (by === 'me' ? 'me' : members.find(by))),
    status,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
    ...(!body && { gone: 'removed' as const }),
  };
}

/** Reactions of members who were gone so long that they are not known any more are not shown. */
function grouped(reactions: MessageEntry['reactions'], who: (author: Author) => 'me' | Member | undefined): readonly Reaction[] {
  const groups = new Map<string, ('me' | Member)[]>();
  for (const [author, { emoji }] of reactions) {
    const by = who(author);
    if (emoji !== '' && by) groups.set(emoji, [...(groups.get(emoji) ?? []), by]);
  }
  return [...groups].map(([emoji, by]) => ({ emoji, by }));
}

/** What to keep of a message. */
export function toKept({ file: _, replyTo, body, edit, expiresAt, ...entry }: MessageEntry): KeptMessage {
  return {
    ...entry,
    ...(replyTo !== undefined && { replyTo }),
    ...(body && { body }),
    ...(edit && { edit }),
    ...(expiresAt !== undefined && { expiresAt }),
    unread: [...entry.unread],
    reactions: Array.from(entry.reactions, ([author, { emoji, index }]) => [author, emoji, index]),
  };
}

export function fromKept({ replyTo, body, edit, expiresAt, ...kept }: KeptMessage): MessageEntry {
  return {
    ...kept,
    replyTo,
    body,
    edit,
    expiresAt,
    file: undefined,
    status: kept.status as MessageStatus,
    unread: new Set(kept.unread),
    reactions: new Map(kept.reactions.map(([author, emoji, index]) => [author, { emoji, index }])),
  };
}
