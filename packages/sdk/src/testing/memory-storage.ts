import type { StoragePort, StoredValue } from '../storage/port.ts';

/**
 * A storage that lasts as long as the process: for tests, and an example for storages of applications. Values are copied in and out, as
 * a disk would.
 *
 * @param keepsCryptoKeys false: like a file, it keeps bytes only
 */
export function memoryStorage({ keepsCryptoKeys = true }: { keepsCryptoKeys?: boolean } = {}): StoragePort & {
  readonly entries: ReadonlyMap<string, StoredValue>;
} {
  const entries = new Map<string, StoredValue>();
  const copy = <T extends StoredValue | undefined>(value: T): T => (value instanceof Uint8Array ? (value.slice() as T) : value);
  return {
    entries,
    keepsCryptoKeys,
    async get(key) {
      return copy(entries.get(key));
    },
    async list(prefix) {
      return [...entries].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key, copy(value)] as const);
    },
    async write(changes) {
      for (const [key, value] of changes) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, copy(value));
      }
    },
    async erase(prefix) {
      for (const key of [...entries.keys()]) if (key.startsWith(prefix)) entries.delete(key);
    },
  };
}
