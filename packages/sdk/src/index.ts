/**
 * Private rooms: BB84 key agreement, post-quantum handshakes and AES-256-GCM end to end, over a relay that learns nothing.
 *
 * @packageDocumentation
 */
export type { QberEstimate, Report, Stage } from './bb84/types.ts';
export { QSEC_ERROR_CODES, QsecError, type QsecErrorCode } from './errors.ts';
export type { Listener, ListenOptions } from './events.ts';
export type { FileSource } from './media/source.ts';
export {
  type ConnectOptions,
  DEFAULTS,
  type FileOptions,
  type KeyAgreementOptions,
  type Logger,
  type LogLevel,
} from './options.ts';
export { Invite } from './protocol/invite.ts';
export { connect } from './room/connect.ts';
export { type StoredRoom, type StoredRoomsOptions, storedRooms } from './room/stored-rooms.ts';
export type * from './room/types.ts';
export type { StoragePort, StoredValue } from './storage/port.ts';
