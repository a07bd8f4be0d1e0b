import { lockHere, MARGIN_MS } from './locks.ts';
import type { StoragePort } from './port.ts';
import { within } from './within.ts';

const known = new WeakMap<StoragePort, Required<StoragePort>>();

/** A storage of an application, none of whose steps is waited for without end. The same storage gives the same object. */
export function limited(port: StoragePort): Required<StoragePort> {
  const before = known.get(port);
  if (before) return before;
  const bounded: Required<StoragePort> = {
    keepsCryptoKeys: port.keepsCryptoKeys,
    get: (key) => within(() => port.get(key), 'answer'),
    list: (prefix) => within(() => port.list(prefix), 'answer'),
    write: (changes) => within(() => port.write(changes), 'answer'),
    erase: (prefix) => within(() => port.erase(prefix), 'answer'),
    lock: async (name, patienceMs) =>
      port.lock
        ? within(async () => port.lock?.(name, patienceMs), 'say whether the room is open elsewhere', {
            limitMs: patienceMs + MARGIN_MS,
            // Nobody uses what came too late: others may have it.
            onLate: (release) => release?.(),
          })
        : lockHere(port, name),
  };
  known.set(port, bounded);
  return bounded;
}
