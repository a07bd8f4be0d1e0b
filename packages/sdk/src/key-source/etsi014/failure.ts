import { QsecError } from '../../errors.ts';

/** What went wrong, in `details.reason` of a `KEY_SOURCE_FAILED`. */
export type Etsi014FailureReason =
  /** 400, "size shall be a multiple of 8". */
  | 'size-not-multiple-of-8'
  /** 400, "not all extension_mandatory parameters are supported". */
  | 'mandatory-extension-unsupported'
  /** 400, "not all extension_mandatory request options could be met". */
  | 'mandatory-extension-unmet'
  /** 400, "not all extension_optional request options handled". */
  | 'optional-extension-unhandled'
  /** 400, "one or more keys specified are not found on KME": never delivered here, or delivered already. */
  | 'key-not-found'
  /** 400 with another message. */
  | 'bad-request'
  /** 401: the KME does not know this client's certificate, or did not name it as a recipient of the key. */
  | 'unauthorized'
  /** 503: the KME has a problem of its own, such as no key left. */
  | 'unavailable'
  /** Any other HTTP status. */
  | 'unexpected-status'
  /** The connection could not be made, or was cut. */
  | 'unreachable'
  /** One side did not accept the other's certificate. */
  | 'tls'
  | 'timeout'
  | 'response-too-large'
  /** Not JSON, or not the JSON that the standard describes. */
  | 'malformed-response';

/** The standard's messages (ETSI GS QKD 014 V1.1.1, §5 and §6.5), compared without regard to case and a final full stop. */
const STANDARD_MESSAGES: Readonly<Record<string, Etsi014FailureReason>> = {
  'size shall be a multiple of 8': 'size-not-multiple-of-8',
  'not all extension_mandatory parameters are supported': 'mandatory-extension-unsupported',
  'not all extension_mandatory request options could be met': 'mandatory-extension-unmet',
  'not all extension_optional request options handled': 'optional-extension-unhandled',
  'one or more keys specified are not found on kme': 'key-not-found',
};

/** Characters of the KME's own words that are passed on. */
const MOST_CHARACTERS = 300;

/**
 * A failure of the key management entity. No cause is attached where one could hold a part of the response, which may be a key.
 */
export function failure(
  reason: Etsi014FailureReason,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): QsecError {
  return new QsecError('KEY_SOURCE_FAILED', message, { details: { reason, ...details }, ...(cause !== undefined && { cause }) });
}

/** Failures of an answer that came and is refused. */
const REFUSED: readonly unknown[] = ['malformed-response', 'response-too-large'];
/** Identifiers that a message lists; `details.usedUp` has all of them. */
const MOST_LISTED = 8;

/**
 * `error` again; when an answer with keys was refused, with what that used up, in words and in `details.usedUp`: the identifiers
 * of the keys, as far as they are known.
 */
export function usedUp<T>(error: T, ids: readonly string[]): T | QsecError {
  if (!QsecError.is(error, 'KEY_SOURCE_FAILED') || !REFUSED.includes(error.details.reason)) return error;
  const more = ids.length > MOST_LISTED ? ` and ${ids.length - MOST_LISTED} more` : '';
  const which =
    ids.length === 0
      ? 'It may have used up keys, whose identifiers could not be read'
      : `Used up by it: ${ids.slice(0, MOST_LISTED).join(', ')}${more}`;
  return new QsecError('KEY_SOURCE_FAILED', `${error.message}. ${which}`, { details: { ...error.details, usedUp: [...ids] } });
}

/** The failure that an HTTP status and the error body mean. */
export function statusFailure(status: number, message: string | undefined, details: unknown): QsecError {
  const said = message?.slice(0, MOST_CHARACTERS);
  const facts = { status, ...(said !== undefined && { message: said }), ...(details !== undefined && { kmeDetails: details }) };
  const words = said === undefined ? '' : `: ${said}`;
  if (status === 401) return failure('unauthorized', `The key management entity does not accept this client${words}`, facts);
  if (status === 503) return failure('unavailable', `The key management entity has no key or is out of order${words}`, facts);
  if (status !== 400)
    return failure('unexpected-status', `The key management entity answered with status ${status}${words}`, facts);
  const known = STANDARD_MESSAGES[(said ?? '').trim().replace(/\.$/, '').toLowerCase()];
  return failure(known ?? 'bad-request', `The key management entity refused the request${words}`, facts);
}
