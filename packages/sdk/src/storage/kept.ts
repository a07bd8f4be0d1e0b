import type { QsecError } from '../errors.ts';
import type { MessageBody } from '../protocol/group-content.ts';
import type { SigningKey } from '../protocol/identity.ts';
import type { Bytes, Position } from '../wire/index.ts';

/** What of a room outlives a reload. No ratchet, no chain key, no root of a pair: those are agreed anew. */

/** Of everything that is kept of a room. */
export const KEPT_VERSION = 1;

export interface KeptRoom {
  /** {@link KEPT_VERSION} of who wrote it. */
  version: number;
  /** Address of the relay. */
  relay: string;
  invite: string;
  identity: Bytes;
  seat: Bytes;
  seatSecret: Bytes;
  /** Of who made the room. */
  endToken: Bytes | undefined;
  name: string;
  /** Up to where the relay's frames were processed. */
  position: Position | undefined;
  /** Number of our next message. */
  nextIndex: number;
  /** The signed room policy, the last order that locked or opened the room, somebody's word for us, and the number of the last order. */
  policy: Bytes | undefined;
  lock: Bytes | undefined;
  admission: Bytes;
  orders: number;
  /** Whether we were in the room before its present link was made. */
  carriedOver: boolean;
  /** Identity keys of who was removed. */
  banned: Bytes[];
  /** Removals that lead on from former places, oldest first. */
  steps: KeptStep[];
  /** Former places that members may still come back to. */
  left: KeptPlace[];
  members: KeptMember[];
  /** Milliseconds since 1970. */
  usedAt: number;
}

/** A removal as it was signed, and the secret of the link that it made. */
export interface KeptStep {
  order: Bytes;
  secret: Bytes;
}

export interface KeptPlace {
  invite: string;
  /** Identity keys of the members when the room left it. */
  members: Bytes[];
  /** When nobody is waited for there any more, milliseconds since 1970. */
  until: number;
}

/** What a person or the creator decided about a member. */
export interface KeptMember {
  identity: Bytes;
  name: string;
  verified: boolean;
  vouched: boolean;
  attested: boolean;
}

export interface KeptMessage {
  id: string;
  /** Ascends in the order messages were first seen. */
  order: number;
  author: string;
  kind: MessageBody['kind'];
  index: number;
  sentAt: number;
  replyTo?: string;
  unread: string[];
  someoneRead: boolean;
  body?: MessageBody;
  edit?: { text: string; index: number; at: number };
  reactions: [author: string, emoji: string, index: number][];
  status: string;
  expiresAt?: number;
}

/** A message of ours that somebody has not confirmed yet. */
export interface KeptOutgoing {
  id: string;
  about: string;
  content: Bytes;
  to: string[];
  pending: string[];
  lost: string[];
  /** When it is given up, milliseconds since 1970. */
  until: number;
  order: number;
}

/** Something that was handed to the application and may be sent to us again until then. */
export interface KeptSeen {
  id: string;
  author: string;
  /** The number its author gave it. */
  index: number;
  until: number;
}

export interface Kept {
  identity: SigningKey;
  room: KeptRoom;
  messages: KeptMessage[];
  outgoing: KeptOutgoing[];
  seen: KeptSeen[];
  /** Of `seen`: what nobody sends again any more, to be dropped. */
  outdated: KeptSeen[];
}

/**
 * What a room keeps, while it is open. What cannot be stored is told to `onFailure` of {@link RoomStore.begin}, once until something is
 * stored again, and waits for that; nothing rejects but what says so.
 */
export interface RoomStore {
  /** From when the room was open here last. */
  readonly kept: Kept | undefined;
  /** Stores the keys of a room that is not kept yet, before anything else. @throws {QsecError} `STORAGE_UNAVAILABLE` */
  create(privateKey: CryptoKey): Promise<void>;
  /** From here on what goes wrong is told, and what went wrong before. */
  begin(onFailure: (error: QsecError) => void): void;
  keepRoom(room: KeptRoom): Promise<void>;
  keepMessage(message: KeptMessage): Promise<void>;
  dropMessage(id: string): Promise<void>;
  keepOutgoing(outgoing: KeptOutgoing): Promise<void>;
  dropOutgoing(id: string): Promise<void>;
  keepSeen(seen: KeptSeen): Promise<void>;
  dropSeen(id: string): Promise<void>;
  /** Stores what is on its way and lets others open the room. Of a room that was never entered nothing stays. */
  release(): Promise<void>;
  /** Erases everything that is kept of the room. @throws {QsecError} `STORAGE_UNAVAILABLE` */
  forget(): Promise<void>;
}
