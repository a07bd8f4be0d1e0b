import { encodePairContent, orderName, type PairContent } from '../protocol/content.ts';
import { type Bytes, toBase64url } from '../wire/index.ts';
import type { Peer } from './peer.ts';

const FIRST_REPEAT_MS = 3_000;
const MAX_REPEAT_MS = 60_000;

/** What a member has to get, sooner or later: nothing else in the room would make up for it. */
export type Order = Extract<PairContent, { kind: 'admission' | 'credentials' | 'policy' | 'lock' }>;

interface Waiting {
  to: Peer;
  content: Bytes;
  /** As its receiver confirms it, base64url. */
  name: string;
  pause: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export interface OrderPostOptions {
  sendToPeer(peer: Peer, content: Bytes): Promise<void>;
  enqueue(task: () => Promise<void>): void;
}

/** Orders on their way to single members. Each is repeated until its receiver says that it holds, or a newer one takes its place. */
export class OrderPost {
  readonly #options: OrderPostOptions;
  /** By member and kind: of each kind the last one counts. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: OrderPostOptions) {
    this.#options = options;
  }

  /** Returns the name by which its receiver confirms it. */
  async send(to: Peer, order: Order): Promise<Bytes> {
    const content = encodePairContent(order);
    const name = orderName(content);
    const key = keyOf(to.id, order.kind);
    this.#drop(key);
    const waiting = { to, content, name: toBase64url(name), pause: FIRST_REPEAT_MS, timer: undefined };
    this.#waiting.set(key, waiting);
    await this.#carry(key, waiting);
    return name;
  }

  /** A member has orders of these names. */
  confirmed(by: Peer, names: readonly Bytes[]): void {
    const known = new Set(names.map(toBase64url));
    for (const [key, { to, name }] of this.#waiting) {
      if (to.id !== by.id || !known.has(name)) continue;
      this.#drop(key);
    }
  }

  /** A member is here under new keys: what it has not confirmed goes out again, under them. */
  async welcome(peer: Peer): Promise<void> {
    for (const [key, waiting] of [...this.#waiting]) {
      if (waiting.to === peer || waiting.to.id !== peer.id) continue;
      clearTimeout(waiting.timer);
      const again = { ...waiting, to: peer, pause: FIRST_REPEAT_MS };
      this.#waiting.set(key, again);
      await this.#carry(key, again);
    }
  }

  /** Another order took the place of all of a kind that we sent. */
  superseded(kind: Order['kind']): void {
    for (const key of [...this.#waiting.keys()]) if (key.endsWith(` ${kind}`)) this.#drop(key);
  }

  forget(peer: Peer): void {
    for (const [key, { to }] of [...this.#waiting]) if (to.id === peer.id) this.#drop(key);
  }

  close(): void {
    for (const key of [...this.#waiting.keys()]) this.#drop(key);
  }

  async #carry(key: string, waiting: Waiting): Promise<void> {
    waiting.timer = setTimeout(() => this.#options.enqueue(() => this.#repeat(key, waiting)), waiting.pause);
    // In Node an order alone must not keep a finished script alive.
    (waiting.timer as { unref?: () => void }).unref?.();
    await this.#options.sendToPeer(waiting.to, waiting.content);
  }

  async #repeat(key: string, waiting: Waiting): Promise<void> {
    if (this.#waiting.get(key) !== waiting) return;
    waiting.pause = Math.min(MAX_REPEAT_MS, 2 * waiting.pause);
    await this.#carry(key, waiting);
  }

  #drop(key: string): void {
    clearTimeout(this.#waiting.get(key)?.timer);
    this.#waiting.delete(key);
  }
}

const keyOf = (id: string, kind: Order['kind']): string => `${id} ${kind}`;
