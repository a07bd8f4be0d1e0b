import { QsecError } from '../errors.ts';
import { versionMismatch } from '../version.ts';
import { lockAmongTabs } from './locks.ts';
import type { StoragePort, StoredValue } from './port.ts';
import { orUnavailable, unavailable } from './unavailable.ts';
import { within } from './within.ts';

const DATABASE = 'qsec2';
const VERSION = 1;
const STORE = 'entries';
/** How long another tab may take to close an older version of the storage. */
const BLOCKED_MS = 3_000;

/** The storage of a browser: IndexedDB, which keeps keys that no script can export. */
export function indexedDbStorage(): StoragePort {
  let opened: Promise<IDBDatabase> | undefined;

  async function database(): Promise<IDBDatabase> {
    opened ??= openInTime();
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
      const finished = () =>
        new Promise<T>((resolve, reject) => {
          const result = act(transaction.objectStore(STORE));
          transaction.oncomplete = () => resolve(result);
          transaction.onabort = () => reject(transaction.error);
        });
      return within(finished, 'answer');
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

/** What opens after nobody waits for it any more is closed: it would keep other versions of the page out. */
function openInTime(): Promise<IDBDatabase> {
  return within(open, 'open', { onLate: (db) => db.close() });
}

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
    let refused = false;
    request.onsuccess = () => (refused ? request.result.close() : resolve(request.result));
    request.onerror = () => {
      // A newer version of the page was here.
      if (request.error?.name === 'VersionError') {
        reject(versionMismatch({ what: 'storage', theirs: VERSION + 1, ours: VERSION, whose: 'storage' }));
      } else reject(unavailable(request.error));
    };
    request.onblocked = () => {
      setTimeout(() => {
        refused = true;
        const message = 'Another tab of this site keeps an older storage open. Close or reload that tab.';
        reject(new QsecError('STORAGE_UNAVAILABLE', message));
      }, BLOCKED_MS);
    };
  });
}
