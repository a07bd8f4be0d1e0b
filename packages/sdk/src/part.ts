import { QsecError } from './errors.ts';

/**
 * A part of the SDK that is loaded when it is needed.
 *
 * @throws {QsecError} `NOT_LOADED` when it did not arrive; `details.outdated` is true where whoever loads parts knows that another version
 *   has taken the place of this one
 */
export async function part<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const outdated = cause instanceof Error && 'outdated' in cause && cause.outdated === true;
    throw new QsecError('NOT_LOADED', 'A part of the SDK could not be loaded.', { cause, details: { outdated } });
  }
}
