import { QsecError } from '../errors.ts';
import { type Bytes, fromUtf8, MAX_CAPACITY, Reader, utf8, Writer } from '../wire/index.ts';
import { type Attachment, readAttachment, readVoice, type VoiceAttachment, writeAttachment, writeVoice } from './attachment.ts';
import { FINGERPRINT_BYTES } from './invite.ts';
import { HASH_BYTES, hash, purpose } from './key-schedule.ts';
import { pad, unpad } from './padding.ts';
import { decodeAnnouncement, encodeAnnouncement, type SenderKeyAnnouncement } from './sender-key.ts';

/** What is inside the encryption. A kind that this SDK does not know is kept as `unknown` and does no harm. */

export const MESSAGE_ID_BYTES = 16;

/**
 * The name of a message in the room: 16 bytes of H("message id" | author's identity | the random id in its content). A member who
 * reads a message cannot write one of its own that takes the same name.
 */
export const messageId = (author: Uint8Array, id: Uint8Array): Bytes =>
  hash(purpose('message id'), author, id).slice(0, MESSAGE_ID_BYTES);
export const NAME_LIMIT_BYTES = 256;
/** A name in a field of one size: length u32 | UTF-8 | zeros. How long somebody's name is tells who it is. */
const NAME_FIELD_BYTES = 4 + NAME_LIMIT_BYTES;

/** What every message has. */
export interface MessageHead {
  id: Bytes;
  index: number;
  sentAt: number;
  replyTo?: Bytes;
}

/** What makes a message a text, a file or a voice message. */
export type MessageBody =
  | { kind: 'text'; text: string }
  | { kind: 'file'; attachment: Attachment }
  | { kind: 'voice'; attachment: VoiceAttachment };

/** For everyone: sealed with the sender key. */
export type GroupContent =
  | (MessageHead & MessageBody)
  | { kind: 'typing' }
  | { kind: 'profile'; name: string }
  /** How many messages of whom the sender has, by identity fingerprint, and who it believes is in the room. */
  | { kind: 'heartbeat'; heads: { member: Bytes; next: number }[]; roster: Bytes }
  | { kind: 'unknown'; code: number };

/** For one member: sealed with the pairwise channel. */
export type PairContent =
  /** `sent` is the number of the sender's next message: what came before is not for the receiver. */
  | { kind: 'sender-key'; announcement: SenderKeyAnnouncement; name: string; sent: number }
  | { kind: 'receipt'; ids: Bytes[] }
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
  | { kind: 'unknown'; code: number };

const GROUP = { text: 1, typing: 2, profile: 3, heartbeat: 4, file: 16, voice: 17 } as const;
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
} as const;

export function encodeGroupContent(content: Exclude<GroupContent, { kind: 'unknown' }>): Bytes {
  const writer = new Writer().u8(GROUP[content.kind]);
  switch (content.kind) {
    case 'text':
      writeHead(writer, content).text(content.text);
      break;
    case 'file':
      writeAttachment(writeHead(writer, content), content.attachment);
      break;
    case 'voice':
      writeVoice(writeHead(writer, content), content.attachment);
      break;
    case 'profile':
      writer.text(content.name);
      break;
    case 'heartbeat':
      for (const { member, next } of content.heads) writer.fixed(member).u32(next);
      writer.fixed(content.roster);
      break;
    case 'typing':
      break;
  }
  return writer.bytes();
}

/** @throws {QsecError} `INVALID_ARGUMENT` for a known kind with a wrong shape */
export function decodeGroupContent(bytes: Uint8Array): GroupContent {
  const reader = new Reader(bytes);
  const code = reader.u8();
  switch (code) {
    case GROUP.text: {
      const head = readHead(reader);
      const text = reader.text();
      reader.end();
      return { kind: 'text', ...head, text };
    }
    case GROUP.file: {
      const head = readHead(reader);
      const attachment = readAttachment(reader);
      reader.end();
      return { kind: 'file', ...head, attachment };
    }
    case GROUP.voice: {
      const head = readHead(reader);
      const attachment = readVoice(reader);
      reader.end();
      return { kind: 'voice', ...head, attachment };
    }
    case GROUP.typing:
      reader.end();
      return { kind: 'typing' };
    case GROUP.profile: {
      const name = reader.text(NAME_LIMIT_BYTES);
      reader.end();
      return { kind: 'profile', name };
    }
    case GROUP.heartbeat:
      return { kind: 'heartbeat', ...readHeartbeat(reader) };
    default:
      return { kind: 'unknown', code };
  }
}

function readHeartbeat(reader: Reader): { heads: { member: Bytes; next: number }[]; roster: Bytes } {
  const count = (reader.remaining - HASH_BYTES) / (FINGERPRINT_BYTES + 4);
  if (!Number.isInteger(count) || count < 0 || count > MAX_CAPACITY) {
    throw new QsecError('INVALID_ARGUMENT', 'a heartbeat of a broken length');
  }
  const heads = Array.from({ length: count }, () => ({ member: reader.fixed(FINGERPRINT_BYTES).slice(), next: reader.u32() }));
  return { heads, roster: reader.fixed(HASH_BYTES).slice() };
}

const writeHead = (writer: Writer, { id, index, sentAt, replyTo }: MessageHead): Writer =>
  writer
    .fixed(id)
    .u32(index)
    .u48(sentAt)
    .variable(replyTo ?? new Uint8Array(0));

function readHead(reader: Reader): MessageHead {
  const fields = { id: reader.fixed(MESSAGE_ID_BYTES).slice(), index: reader.u32(), sentAt: reader.u48() };
  const replyTo = reader.variable(MESSAGE_ID_BYTES).slice();
  return { ...fields, ...(replyTo.length > 0 && { replyTo }) };
}

export function encodePairContent(content: Exclude<PairContent, { kind: 'unknown' }>): Bytes {
  const writer = new Writer().u8(PAIR[content.kind]);
  switch (content.kind) {
    case 'sender-key':
      writer
        .variable(encodeAnnouncement(content.announcement))
        .fixed(pad(utf8(content.name), NAME_FIELD_BYTES))
        .u32(content.sent);
      break;
    case 'receipt':
      for (const id of content.ids) writer.fixed(id);
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
        sent: reader.u32(),
      };
      reader.end();
      return content;
    }
    case PAIR.receipt: {
      if (reader.remaining % MESSAGE_ID_BYTES !== 0) throw new QsecError('INVALID_ARGUMENT', 'a receipt of a broken length');
      const ids: Bytes[] = [];
      while (reader.remaining > 0) ids.push(reader.fixed(MESSAGE_ID_BYTES).slice());
      return { kind: 'receipt', ids };
    }
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
      const full = reader.u8() === 1;
      reader.end();
      return { kind: 'rekey-request', full };
    }
    case PAIR.leave:
      reader.end();
      return { kind: 'leave' };
    default:
      return { kind: 'unknown', code };
  }
}
