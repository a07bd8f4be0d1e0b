import { QsecError } from '../errors.ts';
import { lockAmongTabs } from './locks.ts';
import type { StoragePort, StoredValue } from './port.ts';
import { orUnavailable, unavailable } from './unavailable.ts';

const DATABASE = 'qsec2';
const VERSION = 1;
const STORE = 'entries';

/** The storage of a browser: IndexedDB, which keeps keys that no script can export. */
export function indexedDbStorage(): StoragePort {
  let opened: Promise<IDBDatabase> | undefined;

  async function database(): Promise<IDBDatabase> {
    opened ??= open();
    try {
      const db = await opened;
      // The browser closes it when the user clears the site's data; another version of the page, when it upgrades.
      db.onclose = () => {
        opened = undefined;
      };
      db.onversionchange = () => {
        opened = undefined;
        db.close();
      };
      return db;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  }

  function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => T): Promise<T> {
    return orUnavailable(async () => {
      const transaction = (await database()).transaction(STORE, mode);
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      const result = act(transaction.objectStore(STORE));
      await done;
      return result;
    });
  }

  return {
    keepsCryptoKeys: true,
    async get(key) {
      const request = await run('readonly', (store) => store.get(key));
      return request.result as StoredValue | undefined;
    },
    async list(prefix) {
      const [keys, values] = await run(
        'readonly',
        (store) => [store.getAllKeys(under(prefix)), store.getAll(under(prefix))] as const,
      );
      return keys.result.map((key, i) => [String(key), values.result[i] as StoredValue] as const);
    },
    async write(changes) {
      await run('readwrite', (store) => {
        for (const [key, value] of changes) {
          if (value === undefined) store.delete(key);
          else store.put(value, key);
        }
      });
    },
    async erase(prefix) {
      await run('readwrite', (store) => store.delete(under(prefix)));
    },
    lock: (name, patienceMs) => lockAmongTabs(`${DATABASE}:${name}`, patienceMs),
  };
}

/** Keys are ASCII: this is above every one that begins with `prefix`. */
const under = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    if (typeof indexedDB === 'undefined') {
      reject(new QsecError('STORAGE_UNAVAILABLE', '"storage" is missing: there is none here by itself.'));
      return;
    }
    let request: IDBOpenDBRequest;
    try {
      request = indexedDB.open(DATABASE, VERSION);
    } catch (cause) {
      // Sandboxed frames throw here.
      reject(unavailable(cause));
      return;
    }
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(unavailable(request.error));
  });
}
