import type { BlobRequests } from './blobs.ts';
import type { RelayLimits } from './limits.ts';

/** How promptly an acknowledged frame is safe: lost with the process, with the machine's power, or not at all. */
export type Durability = 'memory' | 'wal' | 'fsync';

export type Presence = 'present' | 'away' | 'gone';

/** Error codes a relay answers with. */
export type RelayErrorCode =
  /** The message does not have the shape of this contract. */
  | 'BAD_REQUEST'
  /** No such room, or the token is not its token: told apart by nobody. */
  | 'NO_ROOM'
  /** Every seat is taken. */
  | 'ROOM_FULL'
  /** The seat exists and its secret is another one. */
  | 'SEAT_TAKEN'
  /** Not allowed: origin, operator's token, cap of rooms or connections. */
  | 'REFUSED'
  | 'RATE_LIMITED'
  | 'TOO_LARGE'
  /** `push`, `recv`, … before a successful `join` on this connection. */
  | 'NOT_JOINED'
  /** The room has no such file, or no longer. */
  | 'NO_BLOB'
  /** The room's share of the relay's storage is used up. */
  | 'QUOTA'
  /** The relay is stopping or cannot write: try again later. */
  | 'UNAVAILABLE'
  /** Another version of this contract: `version` is the relay's. */
  | 'VERSION';

export interface RelayError {
  code: RelayErrorCode;
  /** One sentence for a developer. Holds nothing a client sent. */
  message: string;
  /** When trying again makes sense, milliseconds. */
  retryAfterMs?: number;
  /** With `VERSION`. */
  version?: number;
}

/** Reply to a request: one of the two. */
export type Reply<T> = { ok: T; error?: never } | { ok?: never; error: RelayError };

/** base64url of a fixed number of bytes (`limits.ts`). */
export type Base64url = string;

export interface CreateRequest {
  /** {@link WIRE_VERSION} of the client; 1 where it is absent. */
  version?: number;
  room: Base64url;
  /** Shown by everyone who joins; the relay keeps its hash. */
  token: Base64url;
  /** Shown by who may end the room; the relay keeps its hash. */
  endToken: Base64url;
  /** Seats, 2–16. */
  capacity: number;
  /** HMAC of an operator, where the relay demands one. */
  operator?: string;
}
/** Creating a room that exists with the same tokens and capacity is a success: members re-create one that a relay lost. */
export interface Created {
  /** Names this incarnation of the room's log; changes when the relay lost its state. */
  epoch: Base64url;
}

/** A place in a room's log. */
export interface Position {
  epoch: Base64url;
  /** The last sequence number seen; 0 before the first. */
  seq: number;
}

export interface JoinRequest {
  /** {@link WIRE_VERSION} of the client; 1 where it is absent. */
  version?: number;
  room: Base64url;
  token: Base64url;
  /** Random, stable until the member is gone. */
  seat: Base64url;
  /** The first join stores its hash; resuming the seat needs it. */
  seatSecret: Base64url;
  /** Where to go on; absent: from the log's head. */
  since?: Position;
  operator?: string;
}

export interface SeatPresence {
  seat: Base64url;
  presence: Presence;
}

export interface Joined {
  epoch: Base64url;
  /** Last sequence number in the log. Frames after `since` up to here follow in `batch` events. */
  head: number;
  /** Frames up to and including this one are no longer kept. */
  floor: number;
  /** Frames between `since` and `floor` that this member was not sent and that are lost, if any. */
  gap?: Range;
  /** Everyone who has a seat, this member included. */
  members: SeatPresence[];
  limits: RelayLimits;
  durability: Durability;
}

/** Sequence numbers, both ends included. */
export interface Range {
  from: number;
  to: number;
}

/** Answers to the pushes of one connection, in order. */
export interface Ack {
  /** How many pushes of this connection are answered now; the first one is number 1. */
  upTo: number;
  /** For the last `seq.length` of them: the sequence number given, 0 for a transient one, -1 for a refused one. */
  seq: number[];
  /** Why pushes were refused, by their number. Only with a -1 in `seq`. */
  refused?: { push: number; error: RelayError }[];
}

export interface RecvRequest {
  /** This member needs nothing up to here again. */
  upTo: number;
}

/** What a member tells for the event log. No content. */
export interface ReportRequest {
  kind: 'key-agreement-started' | 'key-agreement-finished' | 'key-agreement-aborted' | 'key-destroyed';
}

export interface EndRequest {
  room: Base64url;
  endToken: Base64url;
}

export interface Slow {
  /** Stop pushing for so long, milliseconds. */
  pauseMs: number;
}

export interface Bye {
  /** Come back after `retryAfterMs` plus a random part of `jitterMs`. */
  retryAfterMs: number;
  jitterMs: number;
}

export interface Ended {
  reason: 'ended' | 'expired';
}

/** Socket.IO events from a client to the relay. */
export interface ClientToRelay extends BlobRequests {
  create(request: CreateRequest, reply: (reply: Reply<Created>) => void): void;
  join(request: JoinRequest, reply: (reply: Reply<Joined>) => void): void;
  /** Gives the seat up for good. */
  leave(reply: (reply: Reply<true>) => void): void;
  /** Ends the room for everyone. */
  end(request: EndRequest, reply: (reply: Reply<true>) => void): void;
  /** One or more frames, {@link encodePushes}. Answered by `ack`. */
  push(frames: Uint8Array): void;
  recv(request: RecvRequest): void;
  report(request: ReportRequest): void;
}

/** Socket.IO events from the relay to a client. */
export interface RelayToClient {
  /** A contiguous range of the room's log, {@link encodeBatch}. */
  batch(frames: Uint8Array): void;
  ack(ack: Ack): void;
  presence(change: SeatPresence): void;
  gap(range: Range): void;
  slow(slow: Slow): void;
  bye(bye: Bye): void;
  ended(ended: Ended): void;
  error(error: RelayError): void;
}

/** Path of the Socket.IO endpoint on the relay. */
export const RELAY_PATH = '/qsec2/';
