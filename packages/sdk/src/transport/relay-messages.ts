import { QsecError } from '../errors.ts';
import type { Ack, Bye, Ended, Joined, Range, RelayError, Reply, SeatPresence, Slow } from '../wire/index.ts';
import type { TransportHandlers } from './transport.ts';

/** What a relay says is looked at before it is believed: a hostile one must not bring a client down with a wrong shape. */

type Shape<T> = (value: unknown) => value is T;
type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';
const isListOf = <T>(value: unknown, each: Shape<T>): value is T[] => Array.isArray(value) && value.every(each);
const isAbsentOr = (value: unknown, shape: (value: unknown) => boolean): boolean => value === undefined || shape(value);

/** base64url of 16 bytes whose last digit leaves no stray bits. */
const isSeat = (value: unknown): boolean => isText(value) && /^[\w-]{21}[AQgw]$/.test(value);

const isRange: Shape<Range> = (value): value is Range =>
  isObject(value) && isCount(value.from) && isCount(value.to) && value.from <= value.to;

const isRelayError: Shape<RelayError> = (value): value is RelayError =>
  isObject(value) &&
  isText(value.code) &&
  isText(value.message) &&
  isAbsentOr(value.retryAfterMs, isCount) &&
  isAbsentOr(value.version, isCount);

const isRefusal: Shape<{ push: number; error: RelayError }> = (value): value is { push: number; error: RelayError } =>
  isObject(value) && isCount(value.push) && isRelayError(value.error);

const isPlace: Shape<number> = (value): value is number => value === -1 || isCount(value);

const isAck: Shape<Ack> = (value): value is Ack =>
  isObject(value) &&
  isCount(value.upTo) &&
  isListOf(value.seq, isPlace) &&
  isAbsentOr(value.refused, (refused) => isListOf(refused, isRefusal));

const isPresence: Shape<SeatPresence> = (value): value is SeatPresence =>
  isObject(value) && isSeat(value.seat) && ['present', 'away', 'gone'].includes(value.presence as string);

const isSlow: Shape<Slow> = (value): value is Slow => isObject(value) && isCount(value.pauseMs);

export const isBye: Shape<Bye> = (value): value is Bye =>
  isObject(value) && isCount(value.retryAfterMs) && isCount(value.jitterMs);

const isEnded: Shape<Ended> = (value): value is Ended => isObject(value) && isText(value.reason);

/** Its limits are not looked at here: `checkedLimits` makes something of whatever they are. */
export const isJoined: Shape<Joined> = (value): value is Joined =>
  isObject(value) &&
  isText(value.epoch) &&
  isCount(value.head) &&
  isCount(value.floor) &&
  isAbsentOr(value.gap, isRange) &&
  isListOf(value.members, isPresence);

/** @throws {QsecError} `RELAY_REFUSED` unless it is one of the two forms of a reply */
export function checkReply<T>(reply: Reply<T>, shape: Shape<T>): Reply<T> {
  const given: unknown = reply;
  if (isObject(given) && (given.error === undefined ? shape(given.ok) : isRelayError(given.error))) return reply;
  throw new QsecError('RELAY_REFUSED', 'The relay answered with something that its contract does not know.');
}

/** Passes on what has the shape it should have; the name of anything else goes to `onWrong`. */
export function checkedHandlers(handlers: TransportHandlers, onWrong: (event: string) => void): TransportHandlers {
  const checked =
    <T>(event: string, shape: Shape<T>, handle: (value: T) => void) =>
    (value: T): void =>
      shape(value) ? handle(value) : onWrong(event);
  return {
    ...handlers,
    ack: checked('ack', isAck, handlers.ack),
    presence: checked('presence', isPresence, handlers.presence),
    gap: checked('gap', isRange, handlers.gap),
    slow: checked('slow', isSlow, handlers.slow),
    bye: checked('bye', isBye, handlers.bye),
    ended: checked('ended', isEnded, handlers.ended),
    error: checked('error', isRelayError, handlers.error),
  };
}
