import type { Emitter } from '../events.ts';
import type { Logger } from '../options.ts';
import type { SigningKey } from '../protocol/identity.ts';
import type { Invite } from '../protocol/invite.ts';
import type { RelaySession } from '../transport/relay-session.ts';
import type { Bytes } from '../wire/index.ts';
import type { Keeping } from './keeping.ts';
import type { Place } from './place.ts';
import type { Me, RoomEvents } from './types.ts';

/** What the parts of a room share. */
export interface RoomContext {
  /** Where the room is at present. A removal moves it, and with it `invite` and `session`. */
  readonly place: Place;
  readonly invite: Invite;
  readonly session: RelaySession;
  readonly identity: SigningKey;
  readonly me: Me;
  readonly seat: Bytes;
  readonly events: Emitter<RoomEvents>;
  readonly logger: Logger;
  readonly keeping: Keeping;
  /**
   * Runs a task when no other one changes the room's state. What goes wrong in it becomes an `error` event, except that of what came from
   * the relay, which others may have made wrong, frames are refused without a word.
   * @param bytes of what came from the relay and waits with it: past a bound, more of that is dropped
   */
  enqueue(task: () => Promise<void>, bytes?: number): void;
  /** Something of ours failed outside of a task: the application is told by an `error` event. */
  fault(cause: unknown): void;
  /** Hands a frame to the relay; what it refuses becomes an `error` event. */
  push(frame: Bytes, to?: readonly Bytes[], transient?: boolean): void;
}
