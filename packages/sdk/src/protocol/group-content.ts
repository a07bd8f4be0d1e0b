import { QsecError } from '../errors.ts';
import { type Bytes, MAX_CAPACITY, Reader, Writer } from '../wire/index.ts';
import { type Attachment, readAttachment, readVoice, type VoiceAttachment, writeAttachment, writeVoice } from './attachment.ts';
import { FINGERPRINT_BYTES } from './invite.ts';
import { HASH_BYTES } from './key-schedule.ts';
import { MESSAGE_ID_BYTES } from './message-id.ts';

/**
 * What is for everyone, sealed with the sender key.
 *
 * Codes below 128 are messages: they begin with an {@link ActionHead}, so that a reader who does not know the kind can still confirm
 * one and know its repetition. Codes from 128 on are passing signals, which nobody confirms.
 */

export const NAME_LIMIT_BYTES = 256;
/** A name in a field of one size: length u32 | UTF-8 | zeros. How long somebody's name is tells who it is. */
export const NAME_FIELD_BYTES = 4 + NAME_LIMIT_BYTES;
const EMOJI_LIMIT_BYTES = 64;
/** Longest life of a message that disappears: 366 days. */
export const MAX_LIFETIME_MS = 366 * 86_400_000;

/** What everything has that is confirmed, repeated and counted. */
export interface ActionHead {
  id: Bytes;
  /** Rises with each message of its sender. */
  index: number;
  /** Milliseconds since 1970 on the sender's clock. */
  sentAt: number;
}

export interface MessageHead extends ActionHead {
  /** The message this one answers, by its name in the room. */
  replyTo?: Bytes;
  /** How long a reader may keep it once it was shown. */
  expiresInMs?: number;
}

/** What makes a message a text, a file or a voice message. */
export type MessageBody =
  | { kind: 'text'; text: string }
  | { kind: 'file'; attachment: Attachment }
  | { kind: 'voice'; attachment: VoiceAttachment };

/** What changes a message that was sent before; `target` is its name in the room. */
export type Amendment =
  | { kind: 'edit'; target: Bytes; text: string }
  | { kind: 'remove'; target: Bytes }
  /** An empty `emoji` takes the sender's reaction back. */
  | { kind: 'reaction'; target: Bytes; emoji: string };

/** How far somebody got with one member. */
export interface MemberHead {
  /** Fingerprint of the member's identity. */
  member: Bytes;
  /** Everything that the member wrote below this number came. */
  next: number;
  /** The member's newest epoch that is known; 0 for none. */
  epoch: number;
}

export type GroupContent =
  | (MessageHead & MessageBody)
  | (ActionHead & Amendment)
  | { kind: 'typing' }
  | { kind: 'profile'; name: string }
  /** What the sender has of whom, and who it believes is in the room. */
  | { kind: 'heartbeat'; heads: MemberHead[]; roster: Bytes }
  /** Of a later version of this protocol. With a head if it is a message. */
  | { kind: 'unknown'; code: number; head: ActionHead | undefined };

const FIRST_SIGNAL = 0x80;
const CODE = {
  text: 1,
  edit: 2,
  remove: 3,
  reaction: 4,
  file: 16,
  voice: 17,
  typing: 0x80,
  profile: 0x81,
  heartbeat: 0x82,
} as const;

export function encodeGroupContent(content: Exclude<GroupContent, { kind: 'unknown' }>): Bytes {
  const writer = new Writer().u8(CODE[content.kind]);
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
    case 'edit':
      writeAction(writer, content).fixed(content.target).text(content.text);
      break;
    case 'remove':
      writeAction(writer, content).fixed(content.target);
      break;
    case 'reaction':
      writeAction(writer, content).fixed(content.target).text(content.emoji);
      break;
    case 'profile':
      writer.text(content.name);
      break;
    case 'heartbeat':
      for (const { member, next, epoch } of content.heads) writer.fixed(member).u32(next).u32(epoch);
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
  const content = readContent(reader, code);
  if (content.kind !== 'unknown') reader.end();
  return content;
}

function readContent(reader: Reader, code: number): GroupContent {
  switch (code) {
    case CODE.text:
      return { kind: 'text', ...readHead(reader), text: reader.text() };
    case CODE.file:
      return { kind: 'file', ...readHead(reader), attachment: readAttachment(reader) };
    case CODE.voice:
      return { kind: 'voice', ...readHead(reader), attachment: readVoice(reader) };
    case CODE.edit:
      return { kind: 'edit', ...readAction(reader), target: readId(reader), text: reader.text() };
    case CODE.remove:
      return { kind: 'remove', ...readAction(reader), target: readId(reader) };
    case CODE.reaction:
      return { kind: 'reaction', ...readAction(reader), target: readId(reader), emoji: reader.text(EMOJI_LIMIT_BYTES) };
    case CODE.typing:
      return { kind: 'typing' };
    case CODE.profile:
      return { kind: 'profile', name: reader.text(NAME_LIMIT_BYTES) };
    case CODE.heartbeat:
      return { kind: 'heartbeat', ...readHeartbeat(reader) };
    default:
      return { kind: 'unknown', code, head: code < FIRST_SIGNAL ? readAction(reader) : undefined };
  }
}

function readHeartbeat(reader: Reader): { heads: MemberHead[]; roster: Bytes } {
  const count = (reader.remaining - HASH_BYTES) / (FINGERPRINT_BYTES + 8);
  // The bound holds here alone. The reader would refuse the other lengths too, and say less.
  if (!Number.isInteger(count) || count < 0 || count > MAX_CAPACITY) {
    throw new QsecError('INVALID_ARGUMENT', 'a heartbeat of a broken length');
  }
  const heads = Array.from({ length: count }, () => {
    return { member: reader.fixed(FINGERPRINT_BYTES).slice(), next: reader.u32(), epoch: reader.u32() };
  });
  return { heads, roster: reader.fixed(HASH_BYTES).slice() };
}

const readId = (reader: Reader): Bytes => reader.fixed(MESSAGE_ID_BYTES).slice();

const writeAction = (writer: Writer, { id, index, sentAt }: ActionHead): Writer => writer.fixed(id).u32(index).u48(sentAt);

const readAction = (reader: Reader): ActionHead => ({ id: readId(reader), index: reader.u32(), sentAt: reader.u48() });

const writeHead = (writer: Writer, head: MessageHead): Writer =>
  writeAction(writer, head)
    .variable(head.replyTo ?? new Uint8Array(0))
    .u48(head.expiresInMs ?? 0);

function readHead(reader: Reader): MessageHead {
  const action = readAction(reader);
  const replyTo = reader.variable(MESSAGE_ID_BYTES).slice();
  const expiresInMs = reader.u48();
  const known = replyTo.length === 0 || replyTo.length === MESSAGE_ID_BYTES;
  if (!known || expiresInMs > MAX_LIFETIME_MS) throw new QsecError('INVALID_ARGUMENT', 'a message with a broken head');
  return { ...action, ...(replyTo.length > 0 && { replyTo }), ...(expiresInMs > 0 && { expiresInMs }) };
}
