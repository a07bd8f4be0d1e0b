import { QsecError } from '../errors.ts';
import type {
  BlobChunk,
  BlobDropRequest,
  BlobGetRequest,
  BlobProgress,
  BlobPutRequest,
  RelayError,
  Reply,
} from '../wire/index.ts';

/** What a transfer needs of the connection to a relay. Requests reject while there is none; they may be made again then. */
export interface BlobPort {
  /** Resolves when requests can be made. Rejects when they never can again, and with the signal's reason. */
  ready(signal: AbortSignal): Promise<void>;
  /** @param signal what has not gone out when it is aborted stays here */
  put(request: BlobPutRequest, chunk: Uint8Array, signal: AbortSignal): Promise<Reply<BlobProgress>>;
  get(request: BlobGetRequest): Promise<Reply<BlobChunk>>;
  drop(request: BlobDropRequest): Promise<Reply<true>>;
}

/** What to do about a refusal of the relay: wait so many milliseconds and ask again, or give up with an error. */
export function verdict({ code, message, retryAfterMs }: RelayError): { waitMs: number } | { error: QsecError } {
  const details = { relay: code };
  switch (code) {
    case 'RATE_LIMITED':
    case 'UNAVAILABLE':
    // The connection was replaced, and the seat is being taken again.
    case 'NOT_JOINED':
      return { waitMs: retryAfterMs ?? RETRY_MS };
    case 'NO_BLOB':
      return { error: new QsecError('FILE_GONE', 'The relay does not have this file any more.', { details }) };
    case 'QUOTA':
      return { error: new QsecError('FILE_TOO_LARGE', 'The relay has no more space for files of this room.', { details }) };
    default:
      return { error: new QsecError('RELAY_REFUSED', `The relay refused: ${message}`, { details }) };
  }
}

const RETRY_MS = 250;

/** Whether trying again may help: the connection failed, not the request. */
export const isPassing = (error: unknown): boolean => QsecError.is(error, 'RELAY_UNREACHABLE') || QsecError.is(error, 'TIMEOUT');

/** Resolves after `ms`; rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
