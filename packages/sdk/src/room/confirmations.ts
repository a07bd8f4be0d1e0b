import { type Bytes, toBase64url } from '../wire/index.ts';
import type { Peer } from './peer.ts';
import type { Decided } from './types.ts';

/** How long a decision is waited for: by then whoever is here has it, or does not answer. */
const LIMIT_MS = 10_000;

/** An order on its way to a member. */
export interface Sent {
  to: Peer;
  /** As its receiver confirms it. */
  name: Bytes;
  /** Whether the member was present when it was sent: who is away is told on its return, and not waited for. */
  here: boolean;
}

/** A decision that was made here. Who waits for the others does so outside the room's queue: their word has to get through it. */
export interface Deciding {
  done: Promise<Decided>;
}

interface Waiting {
  /** Names of the orders that are not confirmed, by the id of the member. */
  pending: Map<string, string>;
  /** Members who are not waited for. */
  away: Set<string>;
  settle(): void;
}

/** Who said that what was decided here holds there, too. */
export class Confirmations {
  readonly #waiting = new Set<Waiting>();

  /** Waits until every member who is here confirmed what was sent to it, for ten seconds. */
  wait(sent: readonly Sent[]): Promise<Decided> {
    return new Promise((resolve) => {
      const pending = new Map(sent.map(({ to, name }) => [to.id, toBase64url(name)]));
      const members = sent.map(({ to }) => to);
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        resolve({
          confirmed: members.filter(({ id }) => !pending.has(id)),
          pending: members.filter(({ id }) => pending.has(id)),
        });
      };
      const timer = setTimeout(settle, LIMIT_MS);
      const away = new Set(sent.filter(({ here }) => !here).map(({ to }) => to.id));
      const waiting = { pending, away, settle };
      this.#waiting.add(waiting);
      settleIfDone(waiting);
    });
  }

  /** A member has orders of these names. */
  confirmed(by: Peer, names: readonly Bytes[]): void {
    const known = new Set(names.map(toBase64url));
    for (const waiting of [...this.#waiting]) {
      const name = waiting.pending.get(by.id);
      if (name === undefined || !known.has(name)) continue;
      waiting.pending.delete(by.id);
      settleIfDone(waiting);
    }
  }

  /** A member is gone: it confirms nothing more. */
  forget({ id }: Peer): void {
    for (const waiting of [...this.#waiting]) {
      waiting.away.add(id);
      settleIfDone(waiting);
    }
  }

  close(): void {
    for (const waiting of [...this.#waiting]) waiting.settle();
  }
}

function settleIfDone({ pending, away, settle }: Waiting): void {
  if ([...pending.keys()].every((id) => away.has(id))) settle();
}
