import { QsecError } from '../errors.ts';

/** What a storage throws, in the SDK's terms. */
export function unavailable(cause: unknown): QsecError {
  if (QsecError.is(cause, 'STORAGE_UNAVAILABLE') || QsecError.is(cause, 'ROOM_OPEN_ELSEWHERE')) return cause;
  return new QsecError('STORAGE_UNAVAILABLE', 'This room cannot be stored here.', { cause });
}

export async function orUnavailable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw unavailable(cause);
  }
}
