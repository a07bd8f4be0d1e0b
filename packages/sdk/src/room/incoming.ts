import type { ActionHead } from '../protocol/group-content.ts';
import { messageId } from '../protocol/message-id.ts';
import type { KeptSeen } from '../storage/kept.ts';
import type { Bytes } from '../wire/index.ts';
import { Heads } from './heads.ts';
import { InOrder } from './in-order.ts';
import type { Peer } from './peer.ts';
import { SeenIds } from './seen-ids.ts';
import { hex } from './text.ts';

/** Authors whose numbers are remembered; a room has at most 16 at a time. */
const MAX_AUTHORS = 64;

interface Author {
  heads: Heads;
  order: InOrder;
}

export interface IncomingOptions {
  /** The session we have with a member now; it may have changed while a message waited. */
  present(member: string): Peer | undefined;
  /** Whether a member could repeat something at this moment. */
  reachable(member: string): boolean;
  /** A message was handed over: store that it was, then call `done`. */
  handed(id: string, peer: Peer, index: number, done: () => void): void;
  /** That a message was handed over is remembered no more. */
  forgotten(id: string): void;
  /** A message is at the application: its author is to know, each time it comes, since the first receipt may have been lost. */
  confirm(peer: Peer, id: Bytes): void;
  /** Something in front of what came is missing. */
  lacking(): void;
}

/** What the others wrote, on its way to the application: each message once, each author's in order. */
export class Incoming {
  readonly #options: IncomingOptions;
  readonly #seen: SeenIds;
  readonly #authors = new Map<string, Author>();

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#seen = new SeenIds((id) => options.forgotten(id));
  }

  /** Whether something waits for a message in front of it. */
  get holding(): boolean {
    return [...this.#authors.values()].some(({ order }) => order.holding);
  }

  /** What was handed over before a reload. */
  restore({ author, id, index }: Pick<KeptSeen, 'author' | 'id' | 'index'>): void {
    this.#seen.add(author, id);
    this.#author(author).heads.add(index);
  }

  /** Which messages of a member came. */
  heads(member: string): Heads {
    return this.#author(member).heads;
  }

  /** A member says that it sends us nothing below `first` any more. */
  begin(member: string, first: number): void {
    const { heads, order } = this.#author(member);
    heads.begin(first);
    order.release();
  }

  /**
   * Takes what came up, unless it came before.
   * @param bytes what it takes to keep it
   * @param take hands it to the application
   */
  receive(peer: Peer, { id: random, index }: ActionHead, bytes: number, take: (id: string) => void): void {
    const id = messageId(peer.identityKey, random);
    const name = hex(id);
    if (this.#seen.has(peer.id, name)) {
      this.#options.confirm(peer, id);
      return;
    }
    const { heads, order } = this.#author(peer.id);
    if (order.has(name)) return;
    heads.add(index);
    order.add(index, name, bytes, () => {
      this.#seen.add(peer.id, name);
      take(name);
      this.#options.handed(name, peer, index, () => {
        const present = this.#options.present(peer.id);
        if (present) this.#options.confirm(present, id);
      });
    });
    if (order.holding) this.#options.lacking();
  }

  /** A member is gone. Should it come back, it goes on with its numbers. */
  forget(member: string): void {
    this.#authors.get(member)?.order.flush();
  }

  close(): void {
    for (const { order } of this.#authors.values()) order.close();
  }

  #author(member: string): Author {
    let author = this.#authors.get(member);
    if (!author) {
      const heads = new Heads();
      const next = () => (heads.begun ? heads.next : undefined);
      author = { heads, order: new InOrder({ next, reachable: () => this.#options.reachable(member) }) };
    }
    // Written last is forgotten last.
    this.#authors.delete(member);
    this.#authors.set(member, author);
    for (const [oldest, { order }] of this.#authors) {
      if (this.#authors.size <= MAX_AUTHORS) break;
      order.flush();
      this.#authors.delete(oldest);
    }
    return author;
  }
}
