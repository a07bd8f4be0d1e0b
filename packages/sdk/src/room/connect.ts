import { QsecError } from '../errors.ts';
import { type ConnectOptions, DEFAULTS } from '../options.ts';
import { withoutCode } from '../protocol/fragment.ts';
import { Invite } from '../protocol/invite.ts';
import { mlKem } from '../protocol/ml-kem.ts';
import { deriveRoomKeys } from '../protocol/room-keys.ts';
import { RelaySession, type RelaySessionOptions } from '../transport/relay-session.ts';
import { socketIoTransport } from '../transport/socket-io.ts';
import type { TransportFactory } from '../transport/transport.ts';
import { agreementPolicy, checkConnectOptions, keySourceOf } from './connect-options.ts';
import { type Entry, prepareEntry } from './entry.ts';
import type { Place, Relocate } from './place.ts';
import { relayUrl } from './relay-url.ts';
import { RoomSession, type RoomSessionOptions } from './room.ts';
import { cleanName } from './text.ts';
import type { Room } from './types.ts';

/**
 * Makes a private room, or joins one by its invite. Resolves once the relay has given this member a seat; keys with members who
 * are there are being agreed then, and `room.send` waits for them.
 *
 * @throws {QsecError} `INVALID_ARGUMENT`, `INVITE_INVALID`, `RELAY_UNREACHABLE`, `RELAY_REFUSED`, `ROOM_NOT_FOUND`, `ROOM_FULL`,
 *   `RATE_LIMITED`, `TIMEOUT`, `NOT_LOADED`, `UNSUPPORTED`, `ABORTED`; with `persist` also `ROOM_OPEN_ELSEWHERE`, `STORAGE_UNAVAILABLE`
 *
 * @example
 * ```ts
 * const room = await connect({ relay: 'https://relay.example', name: 'Ana' });
 * console.log(room.invite.link('https://app.example/'));
 * room.on('message', (message) => console.log(message.text));
 * await room.send('hi');
 * ```
 */
export async function connect(options: ConnectOptions): Promise<Room> {
  checkConnectOptions(options);
  const url = relayUrl(options.relay);
  const { signal, transport = socketIoTransport, keyAgreement = {}, files = {}, logger = () => undefined } = options;
  const { capacity = DEFAULTS.capacity, join = DEFAULTS.join, persist = DEFAULTS.persist } = options;
  const keySource = keySourceOf(keyAgreement);
  const agreement = agreementPolicy(keyAgreement, keySource);
  assertSupported();
  if (signal?.aborted) throw aborted(signal);

  // Without it no handshake could begin, however long it is waited for.
  const kem = mlKem();
  kem.catch(() => undefined);
  const entry = await prepareEntry({
    relay: url,
    given: options.invite === undefined ? undefined : takeInvite(options.invite),
    name: options.name === undefined ? undefined : cleanName(options.name, DEFAULTS.name),
    defaultName: DEFAULTS.name,
    policy: { join, capacity, name: cleanName(options.roomName ?? '', '') },
    persist,
    storage: options.storage,
  });
  try {
    await kem;
    if (signal?.aborted) throw aborted(signal);
    return await enter(entry, { agreement, keySource, files, logger, transport, signal });
  } catch (error) {
    // A room that is open has done so already.
    await entry.store?.release();
    throw error;
  }
}

interface EnterOptions extends Pick<RoomSessionOptions, 'agreement' | 'keySource' | 'files' | 'logger'> {
  transport: TransportFactory;
  signal: AbortSignal | undefined;
}

async function enter(entry: Entry, { transport, signal, ...options }: EnterOptions): Promise<Room> {
  const { relay, seat, seatSecret, endToken } = entry;
  const takeSeat = (invite: Invite, how: Pick<RelaySessionOptions, 'create' | 'moved' | 'patient' | 'since'>): Place => {
    const { psk, relayRoom, relayToken } = deriveRoomKeys(invite);
    const session = new RelaySession({
      url: relay,
      room: relayRoom,
      token: relayToken,
      seat,
      seatSecret,
      capacity: () => room.policy.capacity,
      ...(endToken && { endToken }),
      ...how,
      onRead: () => room.saveProgress(),
      transport,
    });
    return { invite, psk, session };
  };
  const { create, moved, since } = entry;
  const place = takeSeat(entry.invite, { create, moved, ...(since && { since }) });
  const { session } = place;
  const relocate: Relocate = (invite) => takeSeat(invite, { create: false, moved: true, patient: true });
  const room: RoomSession = new RoomSession({ entry, place, relocate, ...options });
  await joined(session, signal);
  // The room looks around before it is handed over: who is there is being approached then.
  if (room.state === 'connecting') await room.once('state');
  // Who has the invite, or reloads now, finds a room that is kept.
  await room.saveProgress();
  signal?.addEventListener('abort', () => void room.leave().catch(() => room.abandon()), { once: true });
  leaveWithPage(room);
  return room;
}

/** Waits for the first join. */
function joined(session: RelaySession, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      session.close();
      reject(aborted(signal as AbortSignal));
    };
    const done = (settle: () => void) => {
      signal?.removeEventListener('abort', abort);
      offUp();
      offRefused();
      settle();
    };
    const offUp = session.on('up', () => done(resolve));
    const offRefused = session.on('refused', (error) => done(() => reject(error)));
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** Reads the invite, and takes it out of the address bar: it is a password, and histories and screenshots are read by others. */
function takeInvite(given: string | Invite): Invite {
  const invite = typeof given === 'string' ? Invite.parse(given) : given;
  const { location, history } = globalThis as Partial<Pick<Window, 'location' | 'history'>>;
  if (location && history && location.hash.includes(invite.code)) {
    history.replaceState(history.state, '', location.pathname + location.search + withoutCode(location.hash));
  }
  return invite;
}

/** A page that is closed for good gives its seat up, so that its place is free at once; unless it may return to it. */
function leaveWithPage(room: RoomSession): void {
  if (typeof document === 'undefined') return;
  const leave = ({ persisted }: PageTransitionEvent) => {
    if (!persisted && !room.kept) room.abandon();
  };
  addEventListener('pagehide', leave);
  room.on('state', (state) => {
    if (state === 'closed') removeEventListener('pagehide', leave);
  });
}

function assertSupported(): void {
  if (globalThis.crypto?.subtle) return;
  throw new QsecError('UNSUPPORTED', 'WebCrypto is missing: the page has to be served over HTTPS or from localhost.');
}

const aborted = (signal: AbortSignal) => new QsecError('ABORTED', 'Connecting was cancelled.', { cause: signal.reason });
