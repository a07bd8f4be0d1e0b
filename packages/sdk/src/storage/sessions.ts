import { QsecError } from '../errors.ts';
import { randomBytes } from '../protocol/random.ts';
import { Reader, toBase64url, Writer } from '../wire/index.ts';
import { lock } from './locks.ts';
import type { StoragePort, StoredValue } from './port.ts';
import { roomsUnder } from './stored-room.ts';

/**
 * A session is a tab from its opening to its closing, reloads included. Its name, which is no secret, is in sessionStorage, which the
 * browser drops with the tab; what the session keeps in the storage is then found by nobody, and swept away by the next tab.
 */

const ITEM = 'qsec2.session';
const ALIVE = 'alive/';
const ID_BYTES = 16;
/** A time, u48. */
const BEAT_BYTES = 6;
/** How often a tab says that it is there. */
const BEAT_MS = 60_000;
/** After how long without that its session is over: the time a relay keeps a seat. */
const OVER_AFTER_MS = 600_000;

/** Elsewhere than in browsers a session is the life of the process. */
let processSession: string | undefined;

export const sessionScope = (id: string): string => `session/${id}`;

/** @throws {QsecError} `STORAGE_UNAVAILABLE` */
export function sessionId(): string {
  if (typeof document === 'undefined') {
    processSession ??= newId();
    return processSession;
  }
  try {
    const known = sessionStorage.getItem(ITEM);
    if (known && /^[\w-]{22}$/.test(known)) return known;
    const id = newId();
    sessionStorage.setItem(ITEM, id);
    return id;
  } catch (cause) {
    throw new QsecError('STORAGE_UNAVAILABLE', 'This page cannot use sessionStorage.', { cause });
  }
}

/**
 * Says that a session is there, now and while the returned function is not called.
 * @param onFailure told when that could not be stored: after {@link OVER_AFTER_MS} of it another tab takes the session for closed
 */
export async function keepAlive(port: StoragePort, id: string, onFailure: (cause: unknown) => void): Promise<() => void> {
  const beat = () => port.write(new Map([[ALIVE + id, new Writer().u48(Date.now()).bytes()]]));
  await beat();
  const timer = setInterval(() => void beat().catch(onFailure), BEAT_MS);
  (timer as { unref?: () => void }).unref?.();
  return () => clearInterval(timer);
}

/** Erases what closed tabs left. */
export async function sweep(port: StoragePort, ownId: string | undefined): Promise<void> {
  for (const [name, value] of await port.list(ALIVE)) {
    const id = name.slice(ALIVE.length);
    if (id === ownId || lastBeat(value) > Date.now() - OVER_AFTER_MS) continue;
    if (await isOpen(port, id)) continue;
    await port.erase(`${sessionScope(id)}/`);
    await port.write(new Map([[name, undefined]]));
  }
}

/** When a session last said that it is there, milliseconds since 1970; one whose entry is damaged has not. */
const lastBeat = (value: StoredValue): number =>
  value instanceof Uint8Array && value.length === BEAT_BYTES ? new Reader(value).u48() : 0;

/** Whether a tab that was too busy to say so still has a room of this session open. */
async function isOpen(port: StoragePort, id: string): Promise<boolean> {
  for (const [room] of await port.list(roomsUnder(sessionScope(id)))) {
    const release = await lock(port, room, 0);
    if (!release) return true;
    release();
  }
  return false;
}

const newId = (): string => toBase64url(randomBytes(ID_BYTES));
