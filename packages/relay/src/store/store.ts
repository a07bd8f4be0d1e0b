import type { Durability, Position, Presence } from '@qsec2/sdk/wire';
import type { Frame } from '../frames/item.ts';
import type { HeartbeatObserver } from './shared/heartbeat.ts';

/**
 * What the relay keeps: rooms, their seats, and one log of frames a room. The hub sequences nothing and remembers nothing that
 * matters; it fans out what a store committed. Rooms are named by the keyed hash of their id.
 */
export interface Store {
  readonly durability: Durability;
  /** Where frames get their places: in this process alone, or in a database that several relays share. */
  readonly order: 'local' | 'shared';

  /** Makes a room, or recognises one with the same terms. */
  create(room: string, terms: RoomTerms): Promise<{ epoch: string } | CreateRefusal>;

  /** Undefined when there is no such room. */
  find(room: string): Promise<RoomRecord | undefined>;

  /**
   * Takes a seat, or resumes one. `holder` names the connection that has it from now on. A member who has seen more of the log
   * than there is proves that the log went back, by a restored backup or a power cut: the room then gets a new epoch.
   */
  takeSeat(room: string, seat: SeatRequest): Promise<SeatTaken | SeatRefusal>;

  /** The connection that held the seat is gone: present → away. Nothing happens when another connection took the seat since. */
  releaseSeat(room: string, seat: string, holder: string): Promise<void>;

  /** The member gave the seat up. */
  leaveSeat(room: string, seat: string): Promise<void>;

  seats(room: string): Promise<Seat[]>;

  /** The member needs nothing up to and including `upTo` again. */
  received(room: string, seat: string, upTo: number): void;

  /**
   * Gives each frame its place and commits all of them before it resolves. The answers stand in the order of the requests: a
   * sequence number, or one of {@link NO_SUCH_ROOM} and {@link MAILBOX_FULL}. A frame whose (sender, client id) is known keeps
   * its first place and is not stored again.
   */
  append(requests: readonly AppendRequest[]): Promise<number[]>;

  /** Frames after `after`, in order, up to about `bytes`; at least one unless there is none. */
  read(room: string, after: number, bytes: number): Promise<Page>;

  /** Hands a frame that takes no place in the log to the other relays that hold the room. */
  relayTransient(room: string, frames: readonly Frame[]): void;

  /** Ends the room for everyone. */
  end(room: string): Promise<void>;

  /** Tells about a room, from its present head on. A room is watched at most once by a process. */
  watch(room: string, watcher: Watcher): Promise<{ head: number }>;
  unwatch(room: string): void;

  /** Brings mailboxes, seats and rooms up to date with the time and with what members received. Stores do it every second. */
  sweep(): Promise<void>;
  /** Rejects when nothing can be written. */
  check(): Promise<void>;
  /** Milliseconds since this relay last told those it shares its rooms with that it is alive. */
  readonly heartbeatAge?: number;
  counts(): Promise<{ rooms: number; seats: number }>;
  close(): Promise<void>;
}

export interface RoomTerms {
  tokenHash: Uint8Array;
  endTokenHash: Uint8Array;
  capacity: number;
}

export interface RoomRecord extends RoomTerms {
  epoch: string;
}

/** `conflict`: the room exists with other terms. `full`: the relay keeps as many rooms as it may. */
export type CreateRefusal = 'conflict' | 'full';
/** `taken`: the seat's secret is another one. */
export type SeatRefusal = 'no room' | 'room full' | 'taken';

export interface SeatRequest {
  seat: string;
  secretHash: Uint8Array;
  holder: string;
  since?: Position;
}

export interface SeatTaken {
  epoch: string;
  head: number;
  floor: number;
  /** The seat existed before. */
  resumed: boolean;
  seats: Seat[];
}

export interface Seat {
  seat: string;
  presence: Exclude<Presence, 'gone'>;
  /** The connection that has it; undefined while away. */
  holder: string | undefined;
}

export interface AppendRequest {
  room: string;
  frame: Frame;
}

export const NO_SUCH_ROOM = -1;
/** Members who are present have not yet received what fills the mailbox. */
export const MAILBOX_FULL = -2;

export interface Page {
  frames: Frame[];
  /** Frames up to and including this one are no longer kept. */
  floor: number;
  head: number;
  /** Of the log that was read, where several relays share it: it may have another one by now than its reader was told. */
  epoch?: string | undefined;
}

/** Bounds every store keeps. */
export interface StoreLimits {
  retentionMs: number;
  maxRooms: number;
  /** Most bytes and frames in the mailbox of a room. */
  roomBytes: number;
  roomFrames: number;
}

/** Called by a store, from its own turn, about a room it was asked to watch. */
export interface Watcher {
  /** The last place every connected member of this process was sent; infinite when there is none. */
  lowestCursor(): number;
  /** Frames that were committed, contiguous with those of the call before. */
  frames(frames: readonly Frame[]): void;
  /** Transient frames from members at other relays. */
  transient(frames: readonly Frame[]): void;
  /** Someone came, went, or changed connection: read the seats again. */
  seatsChanged(): void;
  /** The room has a new epoch: what its members know of the log does not fit any more. */
  renewed(): void;
  /** The room is no more. */
  ended(reason: 'ended' | 'expired'): void;
}

/** Told about what happens without anyone asking for it. */
export interface StoreObserver {
  ended(room: string, reason: 'ended' | 'expired'): void;
  /** A member was away for longer than the retention time. */
  gone(room: string, seat: string): void;
  failed(error: unknown): void;
}

/** The same, where several relays share the rooms. */
export interface SharedObserver extends StoreObserver, HeartbeatObserver {
  /** Another relay was not heard of for too long: the members it had, in so many rooms, are away. */
  relayDied(node: string, rooms: number): void;
}
