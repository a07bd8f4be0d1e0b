import { QsecError } from '../errors.ts';
import type { StoragePort } from './port.ts';
import { within } from './within.ts';

/** A page that is being reloaded gives its locks back in a moment. */
const PATIENCE_MS = 1_500;
/** How long after its patience is over a lock has to say so. */
export const MARGIN_MS = 3_000;

/** Names that are taken, where the storage does not know about other processes. */
const held = new WeakMap<StoragePort, Set<string>>();

/** Takes a name that one tab at a time may have. Resolves with what gives it back; with undefined when another tab has it. */
export async function lock(port: StoragePort, name: string, patienceMs = PATIENCE_MS): Promise<(() => void) | undefined> {
  return port.lock ? port.lock(name, patienceMs) : lockHere(port, name);
}

/** @throws {QsecError} `ROOM_OPEN_ELSEWHERE` */
export async function lockOrRefuse(port: StoragePort, name: string): Promise<() => void> {
  const release = await lock(port, name);
  if (release) return release;
  throw new QsecError('ROOM_OPEN_ELSEWHERE', 'This room is open elsewhere, which holds its seat.');
}

/** Takes a name among all tabs of an origin. */
export function lockAmongTabs(name: string, patienceMs: number): Promise<(() => void) | undefined> {
  const request = () =>
    new Promise<(() => void) | undefined>((resolve, reject) => {
      const signal = AbortSignal.timeout(patienceMs);
      const hold = () => new Promise<void>((release) => resolve(() => release()));
      navigator.locks.request(name, { signal }, hold).catch((cause: unknown) => {
        if (signal.aborted) resolve(undefined);
        else reject(new QsecError('STORAGE_UNAVAILABLE', 'This page cannot hold locks.', { cause }));
      });
    });
  // A browser that neither grants the lock nor gives up waiting for it; what it grants later is given back.
  return within(request, 'say whether the room is open elsewhere', {
    limitMs: patienceMs + MARGIN_MS,
    onLate: (release) => release?.(),
  });
}

/** Takes a name among the users of a storage object. */
export function lockHere(port: StoragePort, name: string): (() => void) | undefined {
  const names = held.get(port) ?? new Set();
  held.set(port, names);
  if (names.has(name)) return undefined;
  names.add(name);
  return () => names.delete(name);
}
