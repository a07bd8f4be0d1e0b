import { QsecError } from '../errors.ts';

/** How long a storage may take for one step. A disk that sleeps is up again by then; a browser's storage that hangs never answers. */
export const STORAGE_LIMIT_MS = 5_000;

/**
 * Waits for a step of a storage, and no longer than {@link STORAGE_LIMIT_MS}.
 *
 * @param what the step, for the message: `answer`, `open`
 * @param onLate told of what the step came to after nobody waited for it any more
 * @throws {QsecError} `STORAGE_UNAVAILABLE` when the time is up, with `timedOut` in its details
 */
export function within<T>(
  step: () => Promise<T>,
  what: string,
  { limitMs = STORAGE_LIMIT_MS, onLate }: { limitMs?: number; onLate?: (value: T) => void } = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(
        new QsecError('STORAGE_UNAVAILABLE', `The storage did not ${what} within ${limitMs / 1000} s.`, {
          details: { timedOut: true },
        }),
      );
    }, limitMs);
    // What throws at once, or is no promise, is settled like the rest.
    (async () => step())().then(
      (value) => {
        clearTimeout(timer);
        if (late) onLate?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Whether a storage did not answer in time: it may go on hanging, so nobody should wait for it again. */
export const timedOut = (error: unknown): boolean =>
  QsecError.is(error, 'STORAGE_UNAVAILABLE') && error.details.timedOut === true;
