import nodeCrypto from 'node:crypto';
import { localCrypto, localKeyObject, localVerify } from './local-crypto.ts';

/**
 * Time that passes only when a test lets it, and chance that is the same every time: minutes of heartbeats, time-outs and back-offs cost
 * what they compute and nothing else, and a history that failed can be played again from its seed.
 */

interface Timer {
  at: number;
  call: () => void;
  every: number | undefined;
}

const START = Date.UTC(2030, 0, 1);

export class VirtualTime {
  readonly #timers = new Map<number, Timer>();
  readonly #undo: (() => void)[] = [];
  readonly #turn = setImmediate;
  #now = START;
  #lastTimer = 0;
  /** What cryptography is not done on this thread runs on others: how many operations are there now, and the end of the last one. */
  #computing = 0;
  #computed: Promise<unknown> = Promise.resolve();
  #random = 1;

  /** Milliseconds since the beginning. */
  get passed(): number {
    return this.#now - START;
  }

  /** Begins again at the same moment, with chance from `seed`; no timer of before is left. */
  restart(seed: number): void {
    this.#timers.clear();
    this.#now = START;
    this.#random = seed | 1;
  }

  install(): void {
    this.#replace(globalThis, 'setTimeout', (call: () => void, ms?: number) => this.#set(call, ms, undefined));
    this.#replace(globalThis, 'setInterval', (call: () => void, ms?: number) => this.#set(call, ms, ms));
    for (const name of ['clearTimeout', 'clearInterval'] as const)
      this.#replace(globalThis, name, (id?: number) => void this.#timers.delete(id ?? 0));
    this.#replace(Date, 'now', () => this.#now);
    this.#replace(Math, 'random', () => this.#next() / 2 ** 32);
    this.#replace(crypto, 'getRandomValues', (bytes: Uint8Array) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = this.#next() >>> 24;
      return bytes;
    });
    const operations = Object.getOwnPropertyNames(SubtleCrypto.prototype).filter((name) => name !== 'constructor');
    for (const name of operations as (keyof SubtleCrypto)[]) this.#countAndOrder(name);
    for (const [name, operation] of localCrypto) this.#replace(crypto.subtle, name, operation);
    this.#replace(nodeCrypto.KeyObject, 'from', localKeyObject);
    this.#replace(nodeCrypto, 'verify', localVerify);
  }

  uninstall(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** Lets everything happen that needs no time to pass. */
  async settle(): Promise<void> {
    do {
      await this.#computed;
      await new Promise<void>((resolve) => this.#turn(resolve));
    } while (this.#computing > 0);
  }

  /** Lets milliseconds pass, timer by timer; ends early once `done`. */
  async pass(ms: number, done: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    while (!done()) {
      const [id, timer] = this.#earliest();
      if (!timer || timer.at > end) break;
      this.#now = Math.max(this.#now, timer.at);
      if (timer.every === undefined) this.#timers.delete(id);
      else timer.at += timer.every;
      timer.call();
      await this.settle();
    }
    if (!done()) this.#now = end;
  }

  /** Lets time pass until something has happened. */
  async until<T>(happened: Promise<T>, limitMs = 600_000): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    happened.then(end, end);
    await this.pass(limitMs, () => over);
    if (!over) throw new Error(`it has not happened in ${limitMs} ms`);
    return happened;
  }

  #earliest(): [number, Timer | undefined] {
    let first: [number, Timer | undefined] = [0, undefined];
    for (const [id, timer] of this.#timers) if (!first[1] || timer.at < first[1].at) first = [id, timer];
    return first;
  }

  #set(call: () => void, ms = 0, every: number | undefined): number {
    const id = ++this.#lastTimer;
    this.#timers.set(id, { at: this.#now + Math.max(1, Math.ceil(ms)), call, every });
    return id;
  }

  /** xorshift32 (Marsaglia, J. Stat. Softw. 8 (14), 2003). */
  #next(): number {
    let state = this.#random;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#random = state;
    return state >>> 0;
  }

  /** Operations end in the order they began: which thread was quicker must not decide what a history does. */
  #countAndOrder(name: keyof SubtleCrypto): void {
    const { subtle } = crypto;
    const original = subtle[name] as (...values: unknown[]) => Promise<unknown>;
    this.#replace(subtle, name, (...values: unknown[]) => {
      const earlier = this.#computed;
      this.#computing++;
      const result = Reflect.apply(original, subtle, values).finally(() => earlier);
      this.#computed = result.then(
        () => this.#computing--,
        () => this.#computing--,
      );
      return result;
    });
  }

  #replace<T extends object>(target: T, name: keyof T, value: unknown): void {
    const own = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    this.#undo.push(() => {
      if (own) Object.defineProperty(target, name, own);
      else delete target[name];
    });
  }
}
