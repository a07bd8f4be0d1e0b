import { QsecError } from '../errors.ts';
import type { Bytes } from '../wire/index.ts';
import { KEY_BYTES, NONCE_BYTES } from './aead.ts';
import { Allowance } from './allowance.ts';
import { erase, expandInfo, HASH_BYTES, labelInfo, NOTHING } from './key-schedule.ts';

/**
 * A chain of message keys: each step derives the next chain key, a message key and a nonce, and forgets where it came from.
 * EL(ck, "step", 76) → next ck 32 | key 32 | nonce 12. Chain keys cannot be non-extractable CryptoKeys, since WebCrypto derives
 * no HKDF key from another one; so the chain is synchronous and overwrites what it used.
 */

/** A frame may be this many steps ahead of the last one: more is a fault or an attack, and costs at most as many steps. */
export const MAX_FORWARD_JUMP = 2000;
/**
 * Steps past frames that did not come, of all chains of a member: so many at once, and so many a second after that. Its frames may be
 * genuine and still each claim to be two thousand ahead of the last one.
 */
export const SKIPPED_STEPS = 2 * MAX_FORWARD_JUMP;
export const SKIPPED_STEPS_PER_SECOND = 100;
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

/** What bounds the chains of one member. */
export interface ChainBounds {
  /** What all chains of the room keep together. */
  skipped?: SkippedKeys;
  /** Steps past frames that did not come. */
  steps: Allowance;
}

export const chainBounds = (skipped?: SkippedKeys): ChainBounds => ({
  ...(skipped && { skipped }),
  steps: new Allowance(SKIPPED_STEPS, SKIPPED_STEPS_PER_SECOND),
});

/**
 * The receiving end. A key is handed out once. Whoever asks for one has to know that the sender wrote the counter: the chain moves at once,
 * and does not go back should the message not open.
 */
export class ReceiveChain {
  #chainKey: Bytes | undefined;
  #counter: number;
  readonly #skipped = new Map<number, MessageKey>();
  readonly #bounds: ChainBounds;

  /** @param counter of the first message that `chainKey` leads to */
  constructor(chainKey: Bytes, counter = 0, bounds: ChainBounds = chainBounds()) {
    this.#chainKey = chainKey;
    this.#counter = counter;
    this.#bounds = bounds;
  }

  /** Counter of the next message that was not overtaken. */
  get head(): number {
    return this.#counter;
  }

  /**
   * The key of message `counter`, for who erases it after use.
   * @throws {QsecError} `HANDSHAKE_FAILED` for a key used before or too far ahead, `RATE_LIMITED` for one that takes more steps than its sender
   *   may cause now: nothing has changed then; `CLOSED` once the chain was erased
   */
  take(counter: number): MessageKey {
    if (!this.#chainKey) throw erased();
    const ahead = counter - this.#counter;
    if (ahead < 0) return this.#takeSkipped(counter);
    if (ahead > MAX_FORWARD_JUMP) {
      throw new QsecError('HANDSHAKE_FAILED', `Message ${counter} is ${ahead} ahead; at most ${MAX_FORWARD_JUMP} are followed.`);
    }
    if (!this.#bounds.steps.spend(ahead)) {
      throw new QsecError(
        'RATE_LIMITED',
        `Message ${counter} is ${ahead} ahead, and its sender left out many others a moment ago.`,
      );
    }
    let key = this.#step(this.#chainKey);
    while (key.counter < counter) {
      this.#skipped.set(key.counter, key);
      if (this.#skipped.size > MAX_SKIPPED_KEYS) this.#dropOldest();
      key = this.#step(this.#chainKey);
    }
    this.#note();
    return key;
  }

  /** Does without the key of the message that was overtaken longest ago. */
  forgetOldest(): void {
    this.#dropOldest();
    this.#note();
  }

  erase(): void {
    erase(this.#chainKey, ...[...this.#skipped.values()].map(({ key }) => key));
    this.#chainKey = undefined;
    this.#skipped.clear();
    this.#note();
  }

  #step(chainKey: Bytes): MessageKey {
    const { next, key, nonce } = step(chainKey);
    erase(chainKey);
    this.#chainKey = next;
    return { counter: this.#counter++, key, nonce };
  }

  #takeSkipped(counter: number): MessageKey {
    const key = this.#skipped.get(counter);
    if (!key) throw new QsecError('HANDSHAKE_FAILED', `Message ${counter} was opened before: a replay.`);
    this.#skipped.delete(counter);
    this.#note();
    return key;
  }

  #note(): void {
    this.#bounds.skipped?.note(this, this.#skipped.size);
  }

  #dropOldest(): void {
    const [oldest] = this.#skipped.values();
    if (!oldest) return;
    erase(oldest.key);
    this.#skipped.delete(oldest.counter);
  }
}

export const erased = () =>
  new QsecError('CLOSED', 'These keys were destroyed: nothing can be sealed or opened with them any more.');
