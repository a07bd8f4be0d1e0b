import { QsecError } from '../errors.ts';
import { type Bytes, fromUtf8, Reader, utf8, Writer } from '../wire/index.ts';
import { NAME_FIELD_BYTES } from './group-content.ts';
import { INVITE_SECRET_BYTES } from './invite.ts';
import { hash, purpose } from './key-schedule.ts';
import { MESSAGE_ID_BYTES } from './message-id.ts';
import { ADMISSION_BYTES, REMOVAL_BYTES } from './orders.ts';
import { pad, unpad } from './padding.ts';
import { decodeAnnouncement, encodeAnnouncement, type SenderKeyAnnouncement } from './sender-key.ts';

export * from './group-content.ts';
export * from './message-id.ts';

/** What is inside the encryption: here for one member, sealed with the pairwise channel; in group-content.ts for everyone. */

export type PairContent =
  /** `first` is the number of the first message that the receiver may still get: what came before it has, or never will. */
  | { kind: 'sender-key'; announcement: SenderKeyAnnouncement; name: string; first: number }
  | { kind: 'receipt'; ids: Bytes[] }
  /** A person saw messages of the member it is sent to. */
  | { kind: 'read'; ids: Bytes[] }
  | { kind: 'resend'; content: Bytes }
  | { kind: 'leave' }
  /** The creator's word for the member it is sent to. */
  | { kind: 'admission'; admission: Bytes }
  /** A member shows the creator's word for itself. */
  | { kind: 'credentials'; admission: Bytes }
  /** A newer room policy. */
  | { kind: 'policy'; policy: Bytes }
  /** A message of a rekeying of this pair. */
  | { kind: 'rekey'; payload: Bytes }
  /** Asks who shook hands first to begin one. */
  | { kind: 'rekey-request'; full: boolean }
  /** A member is removed. Who stays also gets the secret of the new link and, from who removed, a word for itself under it. */
  | { kind: 'removal'; order: Bytes; secret: Bytes; admission: Bytes }
  /** The room was locked or opened. */
  | { kind: 'lock'; order: Bytes }
  /** Admissions, credentials, policies and locks that hold at who sends this, by their {@link orderName}. */
  | { kind: 'obeyed'; names: Bytes[] }
  | { kind: 'unknown'; code: number };

const PAIR = {
  'sender-key': 1,
  receipt: 2,
  resend: 3,
  leave: 4,
  admission: 5,
  credentials: 6,
  policy: 7,
  rekey: 8,
  'rekey-request': 9,
  removal: 10,
  lock: 11,
  obeyed: 12,
  read: 16,
} as const;

/** Names an order that was sent as `content`, for its receiver to confirm: 16 bytes. */
export const orderName = (content: Uint8Array): Bytes => hash(purpose('order'), content).slice(0, MESSAGE_ID_BYTES);

export function encodePairContent(content: Exclude<PairContent, { kind: 'unknown' }>): Bytes {
  const writer = new Writer().u8(PAIR[content.kind]);
  switch (content.kind) {
    case 'sender-key':
      writer
        .variable(encodeAnnouncement(content.announcement))
        .fixed(pad(utf8(content.name), NAME_FIELD_BYTES))
        .u32(content.first);
      break;
    case 'receipt':
    case 'read':
      for (const id of content.ids) writer.fixed(id);
      break;
    case 'obeyed':
      for (const name of content.names) writer.fixed(name);
      break;
    case 'resend':
      writer.fixed(content.content);
      break;
    case 'admission':
    case 'credentials':
      writer.fixed(content.admission);
      break;
    case 'policy':
      writer.fixed(content.policy);
      break;
    case 'rekey':
      writer.fixed(content.payload);
      break;
    case 'rekey-request':
      writer.u8(content.full ? 1 : 0);
      break;
    case 'removal':
      writer.variable(content.order).variable(content.secret).variable(content.admission);
      break;
    case 'lock':
      writer.fixed(content.order);
      break;
    case 'leave':
      break;
  }
  return writer.bytes();
}

/** @throws {QsecError} `INVALID_ARGUMENT` for a known kind with a wrong shape */
export function decodePairContent(bytes: Uint8Array): PairContent {
  const reader = new Reader(bytes);
  const code = reader.u8();
  switch (code) {
    case PAIR['sender-key']: {
      const announcement = decodeAnnouncement(reader.variable());
      const content = {
        kind: 'sender-key' as const,
        announcement,
        name: fromUtf8(unpad(reader.fixed(NAME_FIELD_BYTES))),
        first: reader.u32(),
      };
      reader.end();
      return content;
    }
    case PAIR.receipt:
      return { kind: 'receipt', ids: readIds(reader) };
    case PAIR.read:
      return { kind: 'read', ids: readIds(reader) };
    case PAIR.resend:
      return { kind: 'resend', content: reader.rest().slice() };
    case PAIR.admission:
      return { kind: 'admission', admission: reader.rest().slice() };
    case PAIR.credentials:
      return { kind: 'credentials', admission: reader.rest().slice() };
    case PAIR.policy:
      return { kind: 'policy', policy: reader.rest().slice() };
    case PAIR.rekey:
      return { kind: 'rekey', payload: reader.rest().slice() };
    case PAIR['rekey-request']: {
      const full = reader.u8();
      reader.end();
      if (full > 1) throw new QsecError('INVALID_ARGUMENT', 'unknown values in a request for a rekeying');
      return { kind: 'rekey-request', full: full === 1 };
    }
    case PAIR.removal: {
      const order = reader.variable(REMOVAL_BYTES).slice();
      const secret = reader.variable(INVITE_SECRET_BYTES).slice();
      const content = { kind: 'removal' as const, order, secret, admission: reader.variable(ADMISSION_BYTES).slice() };
      reader.end();
      return content;
    }
    case PAIR.lock:
      return { kind: 'lock', order: reader.rest().slice() };
    case PAIR.obeyed:
      return { kind: 'obeyed', names: readIds(reader) };
    case PAIR.leave:
      reader.end();
      return { kind: 'leave' };
    default:
      return { kind: 'unknown', code };
  }
}

function readIds(reader: Reader): Bytes[] {
  const ids: Bytes[] = [];
  while (reader.remaining > 0) ids.push(reader.fixed(MESSAGE_ID_BYTES).slice());
  return ids;
}
