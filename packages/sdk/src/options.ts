import type { QuantumChannel } from './bb84/channel/types.ts';
import type { KeySource } from './key-source/types.ts';
import type { Invite } from './protocol/invite.ts';
import type { StoragePort } from './storage/port.ts';
import type { TransportFactory } from './transport/transport.ts';

/** Where a pairwise key comes from and what must hold of it. */
export interface KeyAgreementOptions {
  /** `'simulated'` (default): BB84 between the members over `channel`. Else a key source, such as `etsi014()` of `@qsec2/sdk/etsi014`; both members need the same kind. */
  source?: 'simulated' | KeySource;
  /** `required` (default): no agreement, no messages. `optional`: go on without it after an authenticated refusal. */
  policy?: 'required' | 'optional';
  /** Pulses of one agreement, 4096–262144. Default 32768. */
  pulses?: number;
  /** Error rate above which nothing is derived, 0–0.11. Default 0.11. */
  threshold?: number;
  /** What this side's pulses go through. Default: simulated single photons with 1.5 % misalignment. */
  channel?: QuantumChannel;
}

/** What is done with files. */
export interface FileOptions {
  /** Files of others up to this size are fetched when they are announced; 0: none. Bytes, default 8 MiB. */
  fetchUpTo?: number;
  /** Largest file that is sent or fetched. Bytes, default 1 GiB. */
  maxBytes?: number;
}

/** Everything `connect` understands. Every default is in {@link DEFAULTS}. */
export interface ConnectOptions {
  /** Address of the relay, `https://relay.example` or with a path. */
  relay: string | URL;
  /** Absent: create a room. Else join one: a link, the code after its `#`, or an {@link Invite}. */
  invite?: string | Invite;
  /** What the others see. Sent encrypted, at most 64 characters. Default `'Guest'`. */
  name?: string;
  /** Label of a new room, in the signed policy. Ignored when joining. */
  roomName?: string;
  /** Places in a new room, 2–16. Default 2. Ignored when joining. */
  capacity?: number;
  /** Whether everyone with the link comes in (`auto`, default), or waits until the creator lets them in. Ignored when joining. */
  join?: 'auto' | 'approve';
  keyAgreement?: KeyAgreementOptions;
  files?: FileOptions;
  /**
   * What outlives a reload: identity, seat, invite, history; never keys that messages are sealed with. `session`: until the tab is
   * closed. `device`: until `room.forget()` or `room.leave()`. `connect` with the invite of a stored room returns to it, as the same
   * member; `storedRooms` names those. A storage that fails, or does not answer within seconds, makes `connect` reject with
   * `STORAGE_UNAVAILABLE`; one that does so later is told by the `error` event, and the room goes on. Default `none`.
   */
  persist?: 'none' | 'session' | 'device';
  /** Where that is kept. Default: IndexedDB; elsewhere than in browsers it has to be given. */
  storage?: StoragePort;
  /** Cancels connecting; afterwards it leaves the room. */
  signal?: AbortSignal;
  /** Receives one line for each thing worth knowing. Never a secret, never a text. Default: silence. */
  logger?: Logger;
  /** Another way to a relay than Socket.IO: tests, or a relay in the same process. */
  transport?: TransportFactory;
}

export type LogLevel = 'debug' | 'info' | 'warn';
export type Logger = (level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>) => void;

export const DEFAULTS = {
  name: 'Guest',
  capacity: 2,
  join: 'auto',
  persist: 'none',
  policy: 'required',
  pulses: 32_768,
  threshold: 0.11,
  flip: 0.015,
  fetchUpTo: 8 * 2 ** 20,
  maxBytes: 2 ** 30,
} as const;
