import type { QsecErrorCode } from '@qsec2/sdk';
import type { Problem } from '../types';

/** Shape of a `QsecError`, known by its fields: the class itself lives in a chunk that may not be loaded. */
interface CodedError {
  code: QsecErrorCode;
  message: string;
  remediation: string;
  outdated?: boolean;
  details?: { outdated?: unknown };
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && 'code' in error && 'remediation' in error;
}

/**
 * What a person is told about `error`. Anything that has no code is a failure to run the SDK, which is what a browser without the needed
 * features looks like.
 */
export function problemFrom(error: unknown): Problem {
  if (isCoded(error)) {
    const { code, message, remediation, outdated = error.details?.outdated } = error;
    return { code, message, remediation, ...(outdated === true && { outdated }) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'UNSUPPORTED', message, remediation: '' };
}

/** What a person can do about a problem. Of a wrong argument only its message says anything: it names the argument. */
export const adviceOf = ({ code, message, remediation }: Problem): string =>
  code === 'INVALID_ARGUMENT' ? message : remediation || message;

/** Failures after which a newcomer has no room to stay in. */
const REFUSALS: ReadonlySet<QsecErrorCode> = new Set([
  'INVITE_INVALID',
  'ROOM_FULL',
  'ROOM_NOT_FOUND',
  'ROOM_LOCKED',
  'REMOVED',
  'NOT_ADMITTED',
  'HANDSHAKE_FAILED',
  'VERSION_MISMATCH',
]);

/** Whether `problem` ends the attempt of a newcomer who has no key with anyone yet. To a member it is a notice. */
export function isRefusal(problem: Problem, newcomer: boolean): boolean {
  return newcomer && REFUSALS.has(problem.code);
}
