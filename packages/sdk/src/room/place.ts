import type { Invite } from '../protocol/invite.ts';
import type { RelaySession } from '../transport/relay-session.ts';
import type { Bytes } from '../wire/index.ts';

/** Where the room is at the relay, and the link that leads there. A removal renews the link, and with it the place. */
export interface Place {
  readonly invite: Invite;
  /** What a handshake there has to know, EL(P, "psk", …). */
  readonly psk: Bytes;
  /** Our seat there. */
  readonly session: RelaySession;
}

/** Takes our seat at the place that a link leads to. Who comes there first makes it. */
export type Relocate = (renewed: Invite) => Place;
