import type { Invite } from '../../../packages/sdk/src/index.ts';
import type { HostileRelay } from '../../../packages/sdk/src/testing/index.ts';
import type { JoinRequest } from '../../../packages/sdk/src/wire/index.ts';
import type { AnyRelay } from './people.ts';

interface Shown {
  room: string;
  token: string;
}

/** What the first client that joined a room showed the relay. @param of name of the room at the relay, the first one unless given */
export function shownToRelay(relay: HostileRelay, of?: string): Shown {
  const seen = relay.seen as { event: string; content: Partial<Shown> }[];
  const joins = seen.filter(({ event, content }) => event === 'join' && (of === undefined || content.room === of));
  const { room, token } = joins[0]?.content ?? {};
  if (room === undefined || token === undefined) throw new Error('nobody has joined yet');
  return { room, token };
}

/** The relay as somebody uses it who lets everyone in by what members showed to it, whatever the client itself shows. */
export const admittedByRelay = (relay: HostileRelay, of?: string): AnyRelay => showing(relay, () => shownToRelay(relay, of));

/** The relay as a client uses it that shows something else than its own when it joins. */
export function showing(relay: HostileRelay, shown: () => Partial<JoinRequest>): AnyRelay {
  return {
    transport: (url, handlers) => {
      const inner = relay.transport(url, handlers);
      return {
        create: (request) => inner.create(request),
        join: (request) => inner.join({ ...request, ...shown() }),
        leave: () => inner.leave(),
        end: (request) => inner.end(request),
        push: (frames) => inner.push(frames),
        recv: (request) => inner.recv(request),
        report: (request) => inner.report(request),
        reconnect: () => inner.reconnect(),
        close: () => inner.close(),
      };
    },
  };
}

/** An invite to the same room from somebody who does not know its secret. */
export function guessed(invite: Invite): Invite {
  const { generation, roomId, creator } = invite;
  const Class = invite.constructor as typeof Invite;
  return new Class({ generation, roomId, creator, secret: crypto.getRandomValues(new Uint8Array(32)) });
}
