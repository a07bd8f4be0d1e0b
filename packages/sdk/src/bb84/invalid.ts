import { QsecError } from '../errors.ts';

/** The error of an argument that is not what it has to be. */
export function invalid(argument: string, expected: string, got: unknown): QsecError {
  return new QsecError('INVALID_ARGUMENT', `"${argument}" expected ${expected}, got ${String(got)}`, { details: { argument } });
}
