import { QsecError } from '../errors.ts';
import { versionMismatch } from '../version.ts';
import { type RelayError, WIRE_VERSION } from '../wire/index.ts';

/** Refusals that say "not now". */
const PASSING: ReadonlySet<RelayError['code']> = new Set(['RATE_LIMITED', 'UNAVAILABLE']);
const DEFAULT_RETRY_MS = 1_000;
/** A relay that asks for less would be asked in a circle; one that asks for more is asked all the same: it may say so again. */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 30_000;

export const isPassing = ({ code }: RelayError): boolean => PASSING.has(code);

/** How long to wait before asking again, where the relay says so, milliseconds. */
export function retryDelay(retryAfterMs: unknown): number {
  return Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, typeof retryAfterMs === 'number' ? retryAfterMs : DEFAULT_RETRY_MS));
}

/** How a relay is called in messages: its address without what might be secret in it. */
export const nameOf = ({ origin, pathname }: URL): string => origin + pathname.replace(/\/$/, '');

/** Nobody answers there, or not in a way that a relay does. */
export function unreachable(relay: URL, cause: unknown): QsecError {
  return new QsecError('RELAY_UNREACHABLE', `The relay at ${nameOf(relay)} cannot be reached.`, {
    cause,
    remediation: `Check the network, and that a relay answers at ${nameOf(relay)}. Then try again.`,
  });
}

export const refusing = (relay: URL, cause: unknown): QsecError =>
  new QsecError('RELAY_REFUSED', `The relay at ${nameOf(relay)} refuses the connection.`, { cause });

/** What the refusal of a relay means to a person. */
export function relayError(relay: URL, { code, message, retryAfterMs, version }: RelayError): QsecError {
  const details = { relay: code, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  switch (code) {
    case 'NO_ROOM':
      return new QsecError('ROOM_NOT_FOUND', 'The relay knows no such room, or the link is not a link to it.', { details });
    case 'ROOM_FULL':
      return new QsecError('ROOM_FULL', 'Every place in this room is taken.', { details });
    case 'RATE_LIMITED':
      return new QsecError('RATE_LIMITED', 'The relay asks to slow down.', { details });
    case 'UNAVAILABLE':
      return new QsecError('RELAY_UNREACHABLE', `The relay at ${nameOf(relay)} cannot serve this at the moment.`, { details });
    case 'VERSION':
      return versionMismatch({ what: 'wire', theirs: Number(version), ours: WIRE_VERSION, whose: 'relay' });
    case 'TOO_LARGE':
      return new QsecError('MESSAGE_TOO_LARGE', 'The relay does not take frames of this size.', { details });
    default:
      return new QsecError('RELAY_REFUSED', `The relay refused: ${message}`, { details });
  }
}
