import { type RelayError, WIRE_VERSION } from '@qsec2/sdk/wire';

/** Everything the relay refuses with. The texts are fixed: nothing a client sent comes back in them. */
export const refusals = {
  badRequest: { code: 'BAD_REQUEST', message: 'The message does not have the shape of the wire contract.' },
  version: { code: 'VERSION', message: 'This relay speaks another version of the wire contract.', version: WIRE_VERSION },
  noRoom: { code: 'NO_ROOM', message: 'There is no such room, or the token is not its token.' },
  roomFull: { code: 'ROOM_FULL', message: 'Every seat of the room is taken.' },
  seatTaken: { code: 'SEAT_TAKEN', message: 'The seat belongs to someone else: its secret is another one.' },
  joinedAlready: { code: 'BAD_REQUEST', message: 'This connection has a seat already: leave it first.' },
  notJoined: { code: 'NOT_JOINED', message: 'Join a room on this connection first.' },
  tooLarge: { code: 'TOO_LARGE', message: 'The body of the frame is larger than this relay takes.' },
  tooManyInFlight: { code: 'RATE_LIMITED', message: 'More frames are unacknowledged than the limits allow.', retryAfterMs: 250 },
  mailboxFull: {
    code: 'RATE_LIMITED',
    message: 'The mailbox of the room is full: its members read more slowly.',
    retryAfterMs: 1000,
  },
  rateLimited: { code: 'RATE_LIMITED', message: 'Too many requests in a short time.', retryAfterMs: 1000 },
  tooManyRooms: { code: 'REFUSED', message: 'This relay keeps as many rooms as it may.', retryAfterMs: 60_000 },
  operator: { code: 'REFUSED', message: "This relay asks for an operator's token, and the one shown is not valid." },
  unavailable: { code: 'UNAVAILABLE', message: 'The relay cannot store anything at the moment.', retryAfterMs: 1000 },
  unreadable: { code: 'UNAVAILABLE', message: 'The relay cannot read what it stored.', retryAfterMs: 1000 },
  draining: { code: 'UNAVAILABLE', message: 'The relay is stopping.', retryAfterMs: 1000 },
} as const satisfies Record<string, RelayError>;
