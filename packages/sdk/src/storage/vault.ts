import { NONCE_BYTES } from '../protocol/aead.ts';
import { randomBytes } from '../protocol/random.ts';
import { forgetOldest } from '../room/forget-oldest.ts';
import { type Bytes, concat, fromBase64url, fromUtf8, toBase64url, utf8 } from '../wire/index.ts';
import { damage, isDamage } from './damage.ts';
import type { StoragePort, StoredValue } from './port.ts';

/** What waits for a storage that refuses it. */
const MAX_PENDING = 32_768;

/**
 * Seals what is kept: JSON under AES-256-GCM with a random nonce (NIST SP 800-38D §8.2.2: at most 2^32 of them), the entry's name as
 * additional data. In the JSON, bytes are `{ "$bytes": base64url }`.
 */
export class Vault {
  readonly #port: StoragePort;
  readonly #key: CryptoKey;
  /** Written with the next transaction; undefined deletes. */
  #pending = new Map<string, unknown>();
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(port: StoragePort, key: CryptoKey) {
    this.#port = port;
    this.#key = key;
  }

  /** A key that cannot be exported, unless the storage keeps no other. */
  static generateKey(port: StoragePort): Promise<CryptoKey> {
    return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, !port.keepsCryptoKeys, ['encrypt', 'decrypt']);
  }

  /** Keeps a value under a name, or deletes it. Resolves when it is stored; of several values in a row the last one is. */
  put(name: string, value: unknown): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#pending.set(name, value);
    this.#flushing ??= this.#flush();
    return this.#flushing;
  }

  async get(name: string): Promise<unknown> {
    const sealed = await this.#port.get(name);
    return sealed === undefined ? undefined : this.#open(name, sealed);
  }

  /**
   * Every value under a prefix that opens: one broken entry must not cost the others.
   * @param onDamaged told the names of those that do not
   */
  async list(prefix: string, onDamaged: (name: string) => void = () => undefined): Promise<unknown[]> {
    const opened: unknown[] = [];
    for (const [name, sealed] of await this.#port.list(prefix)) {
      try {
        opened.push(await this.#open(name, sealed));
      } catch (error) {
        if (!isDamage(error)) throw error;
        onDamaged(name);
      }
    }
    return opened;
  }

  /** Resolves when everything put so far is stored; nothing is any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    try {
      // What is put in the same turn is written together.
      await Promise.resolve();
      while (this.#pending.size > 0) {
        const batch = this.#pending;
        this.#pending = new Map();
        try {
          const sealed = await Promise.all(
            [...batch].map(async ([name, value]) => [name, await this.#seal(name, value)] as const),
          );
          await this.#port.write(new Map(sealed));
        } catch (error) {
          // A storage that is full now may take it later, with what is put next.
          for (const [name, value] of this.#pending) batch.set(name, value);
          forgetOldest(batch, MAX_PENDING);
          this.#pending = batch;
          throw error;
        }
      }
    } finally {
      this.#flushing = undefined;
    }
  }

  async #seal(name: string, value: unknown): Promise<Bytes | undefined> {
    if (value === undefined) return undefined;
    const iv = randomBytes(NONCE_BYTES);
    const plaintext = utf8(JSON.stringify(value, fromBytes));
    const box = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bound(name) }, this.#key, plaintext);
    return concat(iv, new Uint8Array(box));
  }

  async #open(name: string, sealed: StoredValue): Promise<unknown> {
    try {
      if (!(sealed instanceof Uint8Array)) throw new TypeError('a key where a sealed value belongs');
      const iv = new Uint8Array(sealed.subarray(0, NONCE_BYTES));
      const box = new Uint8Array(sealed.subarray(NONCE_BYTES));
      const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: bound(name) }, this.#key, box);
      return JSON.parse(fromUtf8(new Uint8Array(opened)), toBytes);
    } catch (cause) {
      throw damage('What is stored here does not open: it was changed or is incomplete.', cause);
    }
  }
}

/** The format's version is part of every name: another one does not open. */
const bound = (name: string): Bytes => utf8(`qsec2 v1 stored ${name}`);

const fromBytes = (_: string, value: unknown): unknown => (value instanceof Uint8Array ? { $bytes: toBase64url(value) } : value);

const toBytes = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && '$bytes' in value ? fromBase64url(String(value.$bytes)) : value;
