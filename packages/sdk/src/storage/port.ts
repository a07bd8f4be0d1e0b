/** What a storage can hold: bytes, and keys that cannot be exported where it keeps those as they are. */
export type StoredValue = Uint8Array | CryptoKey;

/**
 * Where rooms are kept. Browsers have one built in (IndexedDB); elsewhere the application brings its own: a map, a file, a database.
 * Everything but the keys themselves is sealed before it gets here.
 */
export interface StoragePort {
  /**
   * Whether a CryptoKey can be put and comes back as it was. If not, keys are handed over as bytes, and whoever reads the storage
   * can read the rooms in it and act as their member: keep such a storage as you would keep a private key.
   */
  readonly keepsCryptoKeys: boolean;
  get(key: string): Promise<StoredValue | undefined>;
  /** Every entry whose key begins with `prefix`. */
  list(prefix: string): Promise<readonly (readonly [key: string, value: StoredValue])[]>;
  /** Puts every value, and deletes where it is undefined: all of it or nothing. */
  write(changes: ReadonlyMap<string, StoredValue | undefined>): Promise<void>;
  /** Deletes every entry whose key begins with `prefix`. */
  erase(prefix: string): Promise<void>;
  /**
   * Takes a name, which one user of the storage at a time may have. Resolves with what gives it back, or with undefined when another
   * user has not given it back within `patienceMs`. Default: among the users of this object.
   */
  lock?(name: string, patienceMs: number): Promise<(() => void) | undefined>;
}
