import type { QberEstimate, Report, StageEvent } from '../bb84/types.ts';
import type { QsecError } from '../errors.ts';
import type { Listener, ListenOptions } from '../events.ts';
import type { Recording } from '../media/recorder/recorder.ts';
import type { FileSource } from '../media/source.ts';
import type { Invite } from '../protocol/invite.ts';
import type { Right } from '../protocol/orders.ts';

export type { Right } from '../protocol/orders.ts';

/** What a person should see of the connection as a whole. */
export type RoomState =
  /** Reaching the relay for the first time. */
  | 'connecting'
  /** Nobody else is here. */
  | 'waiting'
  /** A key agreement is running and no member is reachable securely yet. */
  | 'agreeing'
  /** At least one member shares confirmed keys with us. */
  | 'secure'
  /** The connection dropped; what is sent now goes out when it is back. */
  | 'reconnecting'
  /** The key agreement was refused; nothing can be sent. `room.retry()` starts again. */
  | 'aborted'
  | 'closed';

export type MemberPresence = 'present' | 'away' | 'gone';

/** Another person in the room, known by an identity key that belongs to this room alone. */
export interface Member {
  /** Fingerprint of the identity key, hexadecimal; stable for as long as the identity. */
  readonly id: string;
  /** As the member calls itself: shown, never trusted. */
  readonly name: string;
  /** Fingerprint of the identity key in groups of four, for people to read. */
  readonly identity: string;
  readonly presence: MemberPresence;
  /** Whether this member made the room. */
  readonly creator: boolean;
  /** 60 digits in 12 groups of 5: equal on both sides, and only there, when nobody is in the middle. */
  readonly safetyNumber: string;
  /** Seven of 64 emoji over the handshake; equal on both sides when nobody is in the middle. */
  readonly emoji: readonly { readonly symbol: string; readonly name: string }[];
  /** The safety number as the text of a QR code. */
  readonly qr: string;
  readonly verified: boolean;
  /**
   * Whom this member seems to be, under another identity key: somebody of the same name whom the person verified, or who held the same
   * seat. Until {@link Member.accept} nothing is sent to it and nothing of it is shown; and unless it is still {@link Member.waiting},
   * `room.send` rejects with `IDENTITY_CHANGED`.
   */
  readonly changedFrom: Member | undefined;
  /** Whether the creator, known from the link, vouches for this member. */
  readonly attested: boolean;
  /**
   * Whether this member has to be let in: `room.approve(member)`, by who may. Until then nothing goes to it, and nothing of it reaches the
   * application but that it is here and the name it came under.
   */
  readonly waiting: boolean;
  /** What the last key agreement with this member really did. */
  readonly report: Report | undefined;
  /** Records that a person compared the safety number; accepts a changed identity with that. */
  verify(): void;
  /** Goes on with a member whose identity changed, without having verified it. Without effect where nothing changed. */
  accept(): void;
}

/** Ourselves. */
export interface Me {
  readonly id: string;
  readonly name: string;
  readonly identity: string;
  readonly creator: boolean;
}

/** What the creator signed about the room. */
export interface RoomPolicy {
  readonly name: string | undefined;
  readonly capacity: number;
  readonly join: 'auto' | 'approve';
  readonly locked: boolean;
  /** Members who may decide in the creator's stead, by their ids. */
  readonly delegates: readonly { readonly id: string; readonly rights: readonly Right[] }[];
}

/** How the room is protected at this moment. */
export interface SecurityStatus {
  /** Short name of the fixed suite. */
  readonly suite: string;
  /** Where the BB84 keys came from: `simulated` adds nothing beyond the handshake, `hardware` does. */
  readonly provenance: 'simulated' | 'hardware' | undefined;
  /** Our own sending epoch, from 1. */
  readonly epoch: number;
  readonly agreedAt: Date | undefined;
  /** Whether every present member was verified by a person. */
  readonly verified: boolean;
}

export interface SecurityEvent {
  kind:
    | 'member-secured'
    | 'member-verified'
    /** Somebody is here who seems to be `before` and is not: `member.changedFrom`. Blocks until the person decides. */
    | 'identity-changed'
    /** Somebody is called as `before` was, who is known from an earlier visit and was never verified. Told, and nothing more. */
    | 'known-name'
    | 'epoch'
    | 'key-destroyed'
    | 'unattested'
    | 'policy'
    | 'rekeyed'
    /** The keys with `member` could not be renewed in time: messages go on under the old ones, and it is tried again. Told once until it succeeds. */
    | 'rekey-failed'
    | 'roster-inconsistent'
    /** Newcomers have to be let in, and nobody is here who may do it. A newcomer also gets the error `NO_ADMIN`. */
    | 'no-admin'
    /** A member was removed. The room has a new link: `room.invite`. */
    | 'member-removed';
  member?: Member;
  /** With `identity-changed` and `known-name`. */
  before?: Member;
  status: SecurityStatus;
}

export type MessageKind = 'text' | 'file' | 'voice';

/** One message as an application shows it. */
export interface Message {
  /** 16 random bytes, hexadecimal. */
  readonly id: string;
  /** `'me'`, or the member who sent it. */
  readonly from: 'me' | Member;
  readonly sentAt: Date;
  readonly kind: MessageKind;
  readonly text?: string;
  /** With kind `file`. */
  readonly file?: MessageFile;
  /** With kind `voice`. */
  readonly voice?: VoiceMessage;
  readonly replyTo?: string;
  /** When its author changed the text last. */
  readonly edited?: Date;
  /** Each emoji once, in the order they were first used. */
  readonly reactions: readonly Reaction[];
  /** For our own: how far it got. */
  readonly status: MessageStatus;
  /** When it disappears here. */
  readonly expiresAt?: Date;
  /**
   * Its content is no longer here. `removed`: its author took it back; it stays in `history()` as a place without content.
   * `expired`: its time was up; it is in no history any more.
   */
  readonly gone?: 'removed' | 'expired';
}

export interface Reaction {
  readonly emoji: string;
  readonly by: readonly ('me' | Member)[];
}

export interface FetchOptions {
  /** Gives up fetching; a later call starts again. */
  signal?: AbortSignal;
}

/** A file of a message. It lies sealed at the relay for a day; its content is fetched when it is asked for. */
export interface MessageFile {
  /** As its sender calls it, without anything that could act: no folders, no control characters, at most 120 characters and 255 bytes. */
  readonly name: string;
  /** Media type, as its sender says. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** A small picture of it: PNG, JPEG or WebP by its own bytes, at most 4 million pixels. */
  readonly thumbnail?: Blob;
  /**
   * Everything, once all of it is proved to be what was sent. Its `type` is one that a browser shows without running anything in
   * it, else `application/octet-stream`: an object URL has the origin of the page.
   * @throws {QsecError} `FILE_CORRUPT`, `FILE_GONE`, `FILE_TOO_LARGE`, `ABORTED`, `CLOSED`
   */
  blob(options?: FetchOptions): Promise<Blob>;
  /**
   * The content as it comes, each piece proved to stand where it was sent. Only a stream that ends without an error was the whole
   * file. Fails like {@link MessageFile.blob}.
   */
  stream(options?: FetchOptions): ReadableStream<Uint8Array>;
}

export interface VoiceMessage extends MessageFile {
  readonly durationMs: number;
  /** Loudness over time, 0–1, at most 256 values. */
  readonly peaks: readonly number[];
}

export interface SendFileOptions extends SendOptions {
  /** Default: the File's own, else `file`. */
  name?: string;
  /** Media type. Default: the Blob's own. */
  type?: string;
  /** A small picture: PNG, JPEG or WebP, at most 64 KiB and 4 million pixels. It travels in the message itself. */
  thumbnail?: Blob | Uint8Array;
  /** Called with every chunk that the relay has. */
  onProgress?(progress: FileProgress): void;
  /** Cancels: what was stored is deleted, and nothing is sent. */
  signal?: AbortSignal;
}

export interface SendVoiceOptions extends Omit<SendFileOptions, 'thumbnail'> {
  durationMs: number;
  /** Loudness over time, 0–1, at most 256 values; 64 are usual. */
  peaks: readonly number[];
}

/** How far a transfer got. */
export interface FileProgress {
  /** Names the transfer, hexadecimal; the same in all its events. */
  readonly transfer: string;
  readonly direction: 'send' | 'receive';
  /** The message a file is fetched for. */
  readonly message?: string;
  readonly name: string;
  /** Bytes of content that went over the network so far, about. */
  readonly done: number;
  /** Bytes of content; undefined while a stream is sent whose length is not known. */
  readonly total: number | undefined;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
}

/**
 * Of our own: `sending` until the relay has it or while it waits for somebody with whom keys are being agreed, `sent` while it waits
 * for members, `delivered` when every member at sending time confirmed it, `read` when a person read it at each of them that is still
 * here. Three that do not go on by themselves, for {@link Room.retry}: `unaddressed` when nobody else was here, `expired` when a member
 * did not confirm it in time or is gone (should that member come back, it goes out again by itself), `failed` when the relay refused it.
 * Of others: `received`, then `read` by {@link Room.read}.
 */
export type MessageStatus = 'sending' | 'sent' | 'delivered' | 'read' | 'received' | 'failed' | 'expired' | 'unaddressed';

/** Who confirmed a message by the time it settled. Member ids. It is delivered where `to` names somebody and `pending` nobody. */
export interface Delivery {
  /** Everyone it was sent to; nobody where nobody else was here. */
  to: readonly string[];
  /** Of `to`: who has not confirmed it. */
  pending: readonly string[];
  /** Whether its time ran out. */
  expired: boolean;
}

export interface SentMessage extends Message {
  /**
   * Resolves when every member it is for confirmed it, or its time ran out, or the last of them was gone; at once where nobody else is
   * here. Never rejects by itself.
   */
  readonly delivered: Promise<Delivery>;
}

/** What changed a message, on its way to everyone. */
export type SentAction = Pick<SentMessage, 'id' | 'delivered'>;

export interface SendOptions {
  /** Id of the message this one answers. */
  replyTo?: string;
  /**
   * The message disappears so many milliseconds after it was sent here, and after it was shown there; at most 366 days. A promise
   * of the SDK that shows it, not a proof: who reads a message can copy it.
   */
  expiresInMs?: number;
}

/** Which members confirmed a decision by the time it settled, and which did not: those are told again until they do, or are gone. */
export interface Decided {
  readonly confirmed: readonly Member[];
  readonly pending: readonly Member[];
}

export interface LeaveOptions {
  /** Who decides from then on: gets every right, and confirms that before we are gone. */
  delegate?: Member;
}

/** A stage of the key agreement with one member, with the counts known so far. */
export interface KeyAgreementEvent extends StageEvent {
  member: { seat: string; name: string | undefined };
  /** From 1; a key agreement above the threshold is tried up to three times with fresh bits. */
  attempt: number;
  /** Which part this side plays: Alice sends the pulses. */
  role: 'alice' | 'bob';
  qber?: QberEstimate;
  threshold: number;
  /** With `aborted`: why. */
  error?: QsecError;
}

export interface RoomEvents {
  state: RoomState;
  /** Someone came, left, changed presence, name or verification. */
  members: readonly Member[];
  keyAgreement: KeyAgreementEvent;
  security: SecurityEvent;
  message: Message;
  /** A message known before changed: its text, reactions or status, or it is gone. */
  update: Message;
  typing: { member: Member; typing: boolean };
  /** A file is on its way, to us or from us. */
  progress: FileProgress;
  /** Messages that were lost, as far as that can be known. */
  gap: { member?: Member; missing: number };
  /** What went wrong without a call of ours to reject. */
  error: QsecError;
}

/** A private room. Made by `connect`. */
export interface Room {
  /** Names the room to its members, hexadecimal; the relay knows another one. */
  readonly id: string;
  /** The link that leads here. Removing a member renews it; the security event `member-removed` tells. */
  readonly invite: Invite;
  readonly me: Me;
  /** The others, in the order they came; members that are gone are not listed. */
  readonly members: readonly Member[];
  readonly state: RoomState;
  readonly policy: RoomPolicy;
  readonly security: SecurityStatus;
  /**
   * Whether our leaving would leave the others without anybody who may let people in, lock the room or remove somebody: we made it, and
   * nobody here is a delegate. Ask the person then, before {@link Room.leave}. False in a room for two.
   */
  readonly needsDelegate: boolean;

  /**
   * Sends text to every member. While reconnecting it waits in the outbox.
   * @throws {QsecError} `CLOSED`, `MESSAGE_TOO_LARGE`, `INVALID_ARGUMENT` for empty text, `QBER_EXCEEDED` or another reason when the key agreement was
   *   refused, `IDENTITY_CHANGED` while the person has to decide about a member ({@link Member.changedFrom})
   */
  send(text: string, options?: SendOptions): Promise<SentMessage>;
  /**
   * Seals a file and hands it to the relay piece by piece, then tells the others of it. A connection that drops makes it wait, and
   * go on where it was. Resolves when the relay has all of it.
   * @throws {QsecError} `INVALID_ARGUMENT` for an empty file, `FILE_TOO_LARGE`, `FILE_UNREADABLE`, `FILE_GONE` when the relay lost
   *   the beginning, `ABORTED`, `CLOSED`, `UNSUPPORTED` where the relay keeps no files, and as {@link Room.send}
   */
  sendFile(file: FileSource, options?: SendFileOptions): Promise<SentMessage>;
  /** Sends a voice message, recorded by `@qsec2/sdk/voice` or otherwise; as {@link Room.sendFile}. */
  sendVoice(recording: Recording, options?: Partial<SendVoiceOptions>): Promise<SentMessage>;
  sendVoice(recording: FileSource, options: SendVoiceOptions): Promise<SentMessage>;
  /**
   * Puts another text in the place of one of our own.
   * @throws {QsecError} `INVALID_ARGUMENT` for a message of somebody else, one that is no text, or one that is not kept any more
   */
  edit(id: string, text: string): Promise<SentAction>;
  /** Takes a message of our own back, everywhere. Who has not got it never will. @throws {QsecError} as {@link Room.edit} */
  remove(id: string): Promise<SentAction>;
  /** Answers a message with one emoji; another one takes its place, `undefined` takes it back. @throws {QsecError} `INVALID_ARGUMENT` */
  react(id: string, emoji: string | undefined): Promise<SentAction>;
  /** A person saw a message: tells its author, and nobody else. @throws {QsecError} `INVALID_ARGUMENT` for an unknown id */
  read(id: string): Promise<void>;
  /**
   * Calls ourselves by another name from now on; cleaned and cut as the one given to `connect`. The others are told at once, and
   * whoever misses that with our next keys. Nobody gets the name of a member whom they verified or met on an earlier visit.
   */
  rename(name: string): Promise<void>;
  /** Tells the others that we are writing; they forget it by themselves after a few seconds. */
  typing(): void;
  /** Messages as they come. Buffers at most 1024 while the reader is busy, then ends with an error rather than lose one silently. */
  messages(options?: ListenOptions): AsyncIterable<Message>;
  /**
   * Every message sent and received since this room object was made, with `persist` since the room was entered; oldest first, bounded
   * to the last 10 000.
   */
  history(): readonly Message[];
  /**
   * Agrees new keys with every member, BB84 included, and seals under them from then on: who stole keys before reads nothing after.
   * Happens by itself, too: lightly every 50 messages or 5 minutes of talk, fully every 30. Resolves when it is done.
   * @throws {QsecError} `REKEY_FAILED` when it is not done with everyone within 15 seconds: `details.members` names the ids. Nothing is sealed under
   *   new keys then, and it goes on trying; the event `rekeyed` tells of each member with whom it succeeds.
   */
  rekey(): Promise<void>;
  /**
   * Closes the room to newcomers: each has to be let in. For the creator, and who has the right `lock`. Holds here at once; resolves when
   * everyone who is here confirmed that it holds there, after ten seconds at the latest. @throws {QsecError} `NO_ADMIN`
   */
  lock(): Promise<Decided>;
  /** Opens the room to everyone with the link; as {@link Room.lock}. */
  unlock(): Promise<Decided>;
  /**
   * Lets a member in who waits for it, in a room that is locked or was made with `join: 'approve'`. For the creator, and who has the
   * right `approve`. @throws {QsecError} `NO_ADMIN`, `PEER_GONE`
   */
  approve(member: Member): Promise<void>;
  /**
   * Gives a member rights in the place of those it had; none takes them all back. A creator who leaves without having done so leaves a
   * room in which nobody can decide any more. Creator only. Resolves as {@link Room.lock}.
   * @param member or its id; one who is not here has to be a delegate already
   * @throws {QsecError} `NO_ADMIN`, `PEER_GONE`, `INVALID_ARGUMENT`
   */
  delegate(member: Member | string, rights: readonly Right[]): Promise<Decided>;
  /**
   * Takes all rights back from a delegate, here or not: `room.policy.delegates` names them by their ids. Creator only. Resolves as
   * {@link Room.lock}. @throws {QsecError} `NO_ADMIN`, `PEER_GONE` for an id that is neither a delegate's nor somebody's who is here
   */
  revoke(member: Member | string): Promise<Decided>;
  /**
   * Removes a member for good: it reads nothing that is sent from here on, and its identity cannot come back. Everyone else moves to a
   * new link, `room.invite`; the old one leads nowhere. Members who are away follow when they come back, if that is before the relay
   * gives them up. The rights it had end with it. For the creator, and who has the right `remove`. Resolves as {@link Room.lock}, with who
   * followed. @throws {QsecError} `NO_ADMIN`, `PEER_GONE`
   */
  removeMember(member: Member): Promise<Decided>;
  /** Starts the key agreement again after `aborted`. */
  retry(): void;
  /**
   * Sends a message of ours again that is `expired`, `unaddressed` or `failed`: the same one, with its edits, to everybody here who does
   * not have it. @throws {QsecError} `INVALID_ARGUMENT`, `EXPIRED` where it is not held any more, and what {@link Room.send} throws
   */
  retry(id: string): Promise<SentAction>;
  /** Tries the relay now instead of after the back-off. */
  reconnect(): void;
  /**
   * Leaves for good: tells the others, gives the seat up, destroys the keys, erases what is stored of the room. With `delegate` the creator
   * hands the room over first, and stays where that fails. Without, where {@link Room.needsDelegate}, a warning is logged and nobody can
   * decide any more.
   * @throws {QsecError} with `delegate`: `NO_ADMIN` to who did not make the room, `PEER_GONE` if that member is not here, `TIMEOUT` if it
   *   does not confirm
   */
  leave(options?: LeaveOptions): Promise<void>;
  /**
   * Closes this room object and keeps the seat: the others see us away. With `persist`, `connect` returns to the room; without, the
   * seat is lost when the relay's time is up.
   */
  suspend(): Promise<void>;
  /**
   * Erases everything that is stored of this room: identity, invite, history. The room stays open, and from here on nothing of it is
   * stored. @throws {QsecError} `STORAGE_UNAVAILABLE`
   */
  forget(): Promise<void>;

  on<K extends keyof RoomEvents>(name: K, listener: Listener<RoomEvents[K]>, options?: ListenOptions): () => void;
  once<K extends keyof RoomEvents>(name: K, options?: ListenOptions): Promise<RoomEvents[K]>;
  /** Leaves; a room that is stored is suspended. */
  [Symbol.asyncDispose](): Promise<void>;
}
