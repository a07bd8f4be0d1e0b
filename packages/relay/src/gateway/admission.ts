import type { RelaySettings } from '../config/settings.ts';
import { TokenBucket } from './token-bucket.ts';

/** What one address has open, and how fast it asks. */
interface Source {
  connections: number;
  connects: TokenBucket;
  control: TokenBucket;
  requests: TokenBucket;
}

type Limits = Pick<RelaySettings, 'maxConnections' | 'maxPerAddress' | 'rateConnections' | 'rateControl' | 'rateRequests'>;

/** A guess at a room or a token costs as much as so many honest requests. */
const FAILED_COST = 10;
/** Addresses remembered at most; one that did nothing for a while is forgotten first. */
const MAX_SOURCES = 100_000;

/** Caps and rates of connections, per address and in all. Addresses are kept in memory only, and only while they matter. */
export class Admission {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #sources = new Map<string, Source>();
  #connections = 0;

  /** @param now monotonic milliseconds */
  constructor(limits: Limits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Whether a connection may be opened; it is counted if so, until {@link closed}. */
  opened(address: string): boolean {
    const source = this.#source(address);
    const { maxConnections, maxPerAddress } = this.#limits;
    const fits = this.#connections < maxConnections && source.connections < maxPerAddress;
    if (!fits || !source.connects.take(1, this.#now())) return false;
    this.#connections++;
    source.connections++;
    return true;
  }

  closed(address: string): void {
    const source = this.#sources.get(address);
    if (!source) return;
    this.#connections--;
    source.connections--;
  }

  /** Whether a room may be made or joined now. */
  mayAsk(address: string): boolean {
    return this.#source(address).control.take(1, this.#now());
  }

  /** Whether a request over HTTP is answered. */
  mayRequest(address: string): boolean {
    return this.#source(address).requests.take(1, this.#now());
  }

  /** A request named a room or a token that is not right. */
  guessed(address: string): void {
    this.#source(address).control.spend(FAILED_COST, this.#now());
  }

  /** Forgets addresses that have nothing open and have paid what they owe. */
  sweep(): void {
    const now = this.#now();
    for (const [address, { connections, connects, control, requests }] of this.#sources) {
      if (connections === 0 && connects.full(now) && control.full(now) && requests.full(now)) this.#sources.delete(address);
    }
  }

  #source(address: string): Source {
    const known = this.#sources.get(address);
    if (known) return known;
    if (this.#sources.size >= MAX_SOURCES) this.sweep();
    const { rateConnections, rateControl, rateRequests } = this.#limits;
    const now = this.#now();
    // Ten seconds' worth at once: a room full of people behind one address comes back together after a stop.
    const source = {
      connections: 0,
      connects: new TokenBucket(rateConnections, rateConnections * 10, now),
      control: new TokenBucket(rateControl, rateControl * 10, now),
      requests: new TokenBucket(rateRequests, rateRequests * 10, now),
    };
    this.#sources.set(address, source);
    return source;
  }
}
