import { QsecError } from '../errors.ts';
import type { Bytes } from '../wire/index.ts';
import { KEY_BYTES, NONCE_BYTES } from './aead.ts';
import { erase, expandInfo, HASH_BYTES, labelInfo, NOTHING } from './key-schedule.ts';

/**
 * A chain of message keys: each step derives the next chain key, a message key and a nonce, and forgets where it came from.
 * EL(ck, "step", 76) → next ck 32 | key 32 | nonce 12. Chain keys cannot be non-extractable CryptoKeys, since WebCrypto derives
 * no HKDF key from another one; so the chain is synchronous and overwrites what it used.
 */

/** A frame may be this many steps ahead of the last one: more is a fault or an attack, and costs at most as many steps. */
export const MAX_FORWARD_JUMP = 2000;
/** Keys kept for frames that were overtaken: of one chain, and of all chains of a room. */
export const MAX_SKIPPED_KEYS = 512;
export const MAX_SKIPPED_KEYS_OF_ALL = 2048;

export interface MessageKey {
  counter: number;
  key: Bytes;
  nonce: Bytes;
}

const STEP_BYTES = HASH_BYTES + KEY_BYTES + NONCE_BYTES;
/** The same for every step: a receiver may have to do two thousand of them at once. */
const STEP = labelInfo('step', NOTHING, STEP_BYTES);

function step(chainKey: Bytes): { next: Bytes; key: Bytes; nonce: Bytes } {
  const okm = expandInfo(chainKey, STEP, STEP_BYTES);
  const derived = {
    next: okm.slice(0, HASH_BYTES),
    key: okm.slice(HASH_BYTES, HASH_BYTES + KEY_BYTES),
    nonce: okm.slice(HASH_BYTES + KEY_BYTES),
  };
  erase(okm);
  return derived;
}

/** The sending end. Reserves a counter before anything is awaited, so that no two messages share a key. */
export class SendChain {
  /** Absent once erased: a chain of zeros would go on with keys that anybody can compute. */
  #chainKey: Bytes | undefined;
  #counter = 0;

  constructor(chainKey: Bytes) {
    this.#chainKey = chainKey;
  }

  /** How many messages were sealed. */
  get count(): number {
    return this.#counter;
  }

  /** A copy of the chain key that the next message descends from. */
  get chainKey(): Bytes {
    return this.#present().slice();
  }

  /** @throws {QsecError} `CLOSED` once the chain was erased */
  next(): MessageKey {
    const chainKey = this.#present();
    const { next, key, nonce } = step(chainKey);
    erase(chainKey);
    this.#chainKey = next;
    return { counter: this.#counter++, key, nonce };
  }

  erase(): void {
    erase(this.#chainKey);
    this.#chainKey = undefined;
  }

  #present(): Bytes {
    if (!this.#chainKey) throw erased();
    return this.#chainKey;
  }
}

/** The keys that the chains of a room keep for frames that were overtaken: together no more than {@link MAX_SKIPPED_KEYS_OF_ALL}. */
export class SkippedKeys {
  /** How many each chain keeps; who skipped last stands last. */
  readonly #counts = new Map<ReceiveChain, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** A chain keeps so many keys now. */
  note(chain: ReceiveChain, count: number): void {
    const before = this.#counts.get(chain) ?? 0;
    this.#total += count - before;
    if (count > before || count === 0) this.#counts.delete(chain);
    if (count > 0) this.#counts.set(chain, count);
    while (this.#total > MAX_SKIPPED_KEYS_OF_ALL) [...this.#counts.keys()][0]?.forgetOldest();
  }
}

/** The receiving end. A key opens one message; what is opened or skipped changes the state only when opening succeeded. */
export class ReceiveChain {
  #chainKey: Bytes | undefined;
  #counter: number;
  readonly #skipped = new Map<number, MessageKey>();
  readonly #ofAll: SkippedKeys | undefined;

  /**
   * @param counter of the first message that `chainKey` leads to
   * @param ofAll what the chains of the room keep together
   */
  constructor(chainKey: Bytes, counter = 0, ofAll?: SkippedKeys) {
    this.#chainKey = chainKey;
    this.#counter = counter;
    this.#ofAll = ofAll;
  }

  /** Counter of the next message that was not overtaken. */
  get head(): number {
    return this.#counter;
  }

  /**
   * Opens the message `counter` with its key.
   * One message at a time: the chain moves once `use` is done.
   * @throws {QsecError} `HANDSHAKE_FAILED` for a key used before, too far ahead, or whatever `use` throws: nothing has changed then;
   *   `CLOSED` once the chain was erased
   */
  async open<T>(counter: number, use: (key: Bytes, nonce: Bytes) => Promise<T>): Promise<T> {
    const start = this.#chainKey;
    if (!start) throw erased();
    const skipped = this.#skipped.get(counter);
    if (skipped) {
      const opened = await use(skipped.key, skipped.nonce);
      if (!this.#skipped.delete(counter)) throw overtaken();
      erase(skipped.key, skipped.nonce);
      this.#ofAll?.note(this, this.#skipped.size);
      return opened;
    }
    if (counter < this.#counter) throw new QsecError('HANDSHAKE_FAILED', `Message ${counter} was opened before: a replay.`);
    if (counter - this.#counter > MAX_FORWARD_JUMP) {
      throw new QsecError(
        'HANDSHAKE_FAILED',
        `Message ${counter} is ${counter - this.#counter} ahead; at most ${MAX_FORWARD_JUMP} are followed.`,
      );
    }
    const passed: MessageKey[] = [];
    let chainKey: Bytes = start;
    for (let at = this.#counter; at <= counter; at++) {
      const { next, key, nonce } = step(chainKey);
      if (chainKey !== start) erase(chainKey);
      chainKey = next;
      passed.push({ counter: at, key, nonce });
    }
    const current = passed.pop() as MessageKey;
    let opened: T;
    try {
      opened = await use(current.key, current.nonce);
      if (this.#chainKey !== start) throw overtaken();
    } catch (error) {
      erase(chainKey, current.key, ...passed.map(({ key }) => key));
      throw error;
    }
    erase(start, current.key, current.nonce);
    this.#chainKey = chainKey;
    this.#counter = counter + 1;
    for (const key of passed) this.#skipped.set(key.counter, key);
    while (this.#skipped.size > MAX_SKIPPED_KEYS) this.#dropOldest();
    this.#ofAll?.note(this, this.#skipped.size);
    return opened;
  }

  /** Does without the key of the message that was overtaken longest ago. */
  forgetOldest(): void {
    this.#dropOldest();
    this.#ofAll?.note(this, this.#skipped.size);
  }

  erase(): void {
    erase(this.#chainKey, ...[...this.#skipped.values()].map(({ key }) => key));
    this.#chainKey = undefined;
    this.#skipped.clear();
    this.#ofAll?.note(this, 0);
  }

  #dropOldest(): void {
    const [oldest] = this.#skipped.values();
    if (!oldest) return;
    erase(oldest.key);
    this.#skipped.delete(oldest.counter);
  }
}

const erased = () => new QsecError('CLOSED', 'These keys were destroyed: nothing can be sealed or opened with them any more.');

/** Keys are used once: of two openings at the same time, or one beside an erasure, the later one does not count. */
const overtaken = () => new QsecError('HANDSHAKE_FAILED', 'The chain moved while a message was being opened.');
