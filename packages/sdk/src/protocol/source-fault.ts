import { QsecError } from '../errors.ts';

/** What the key source of this side does wrong, as opposed to what the peer sends or a verdict of both sides. */

/** How long a key source may take for one step: less than a handshake, so that the other side can still be told. */
export const SOURCE_LIMIT_MS = 12_000;

/** Codes that already say whose fault it is. */
const KNOWN = ['KEY_SOURCE_FAILED', 'HANDSHAKE_FAILED'] as const;

/** What a key source threw, or came of what it returned, in the SDK's terms. */
export function sourceFault(cause: unknown): QsecError {
  if (KNOWN.some((code) => QsecError.is(cause, code))) return cause as QsecError;
  const what = cause instanceof Error ? cause.message : String(cause);
  return new QsecError('KEY_SOURCE_FAILED', `The key source of this side failed: ${what}`, { cause });
}

/**
 * Takes a step of a key source.
 * @param ofPeer whether the step reads a flight of the peer: then a `QsecError` is about that flight, and passed on as it is
 * @throws {QsecError} `KEY_SOURCE_FAILED` when the source throws, or does not answer in time
 */
export async function sourceStep<T>(step: () => T | Promise<T>, ofPeer: boolean): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `The key source of this side did not answer within ${SOURCE_LIMIT_MS / 1000} s.`;
    timer = setTimeout(() => reject(new QsecError('KEY_SOURCE_FAILED', message)), SOURCE_LIMIT_MS);
  });
  try {
    return await Promise.race([(async () => step())(), late]);
  } catch (error) {
    throw ofPeer && QsecError.is(error) ? error : sourceFault(error);
  } finally {
    clearTimeout(timer);
  }
}
