import {
  BYTES,
  CALLBACK,
  check,
  checkEvent,
  checkOptions,
  either,
  type Kind,
  type Kinds,
  numberWhere,
  objectWith,
  SIGNAL,
  TEXT,
} from '../arguments.ts';
import type { ListenOptions } from '../events.ts';
import { ATTACHMENT_LIMITS } from '../protocol/attachment.ts';
import { MAX_LIFETIME_MS } from '../protocol/group-content.ts';
import { isEmoji } from './text.ts';
import type { FetchOptions, LeaveOptions, Member, RoomEvents, SendFileOptions, SendOptions, SendVoiceOptions } from './types.ts';

/** What the methods of a room take. Everything here throws `INVALID_ARGUMENT` and names the argument. */

const MAX_DURATION_MS = 2 ** 32 - 1;

const EVENTS: Readonly<Record<keyof RoomEvents, true>> = {
  state: true,
  members: true,
  keyAgreement: true,
  security: true,
  message: true,
  update: true,
  typing: true,
  progress: true,
  gap: true,
  error: true,
};
const EVENT_NAMES = Object.keys(EVENTS);

const MEMBER: Kind = {
  expected: 'a member, one of room.members',
  accepts: (value) => typeof (value as Partial<Member> | undefined | null)?.id === 'string',
};

const MEMBER_ID: Kind = {
  expected: 'the id of one, 32 hexadecimal digits',
  accepts: (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
};

const SEND: Kinds<SendOptions> = {
  replyTo: TEXT,
  expiresInMs: numberWhere(`1–${MAX_LIFETIME_MS} milliseconds`, (ms) => ms >= 1 && ms <= MAX_LIFETIME_MS),
};

const SEND_FILE: Kinds<SendFileOptions> = {
  ...SEND,
  name: TEXT,
  type: TEXT,
  thumbnail: BYTES,
  onProgress: CALLBACK,
  signal: SIGNAL,
};

const PEAKS: Kind = {
  expected: `1–${ATTACHMENT_LIMITS.peaks} numbers from 0 to 1`,
  accepts: (value) =>
    Array.isArray(value) && value.length > 0 && value.length <= ATTACHMENT_LIMITS.peaks && value.every(Number.isFinite),
};

const DURATION = numberWhere('a time above 0 in milliseconds', (ms) => ms > 0 && ms <= MAX_DURATION_MS);

const { thumbnail: _, ...SEND_SOUND } = SEND_FILE;
const SEND_VOICE: Kinds<SendVoiceOptions> = {
  ...SEND_SOUND,
  durationMs: DURATION,
  peaks: PEAKS,
};

const SOURCE: Kind = {
  expected: 'a File, Blob, Uint8Array or ReadableStream',
  accepts: (value) => value instanceof Blob || value instanceof Uint8Array || value instanceof ReadableStream,
};
const RECORDING = either(SOURCE, {
  expected: 'a Recording',
  accepts: (value) => objectWith('').accepts(value) && 'prepared' in (value as object),
});

type Sound = Pick<SendVoiceOptions, 'durationMs' | 'peaks'>;

const EMOJI: Kind = { expected: 'one emoji', accepts: (value) => typeof value === 'string' && isEmoji(value) };

export const checkSend = (options: SendOptions): void => checkOptions('options', options, SEND);

export function checkSendFile(file: unknown, options: SendFileOptions): void {
  check('file', file, SOURCE);
  checkOptions('options', options, SEND_FILE);
}

export function checkSendVoice(recording: unknown, options: Partial<SendVoiceOptions>): void {
  check('recording', recording, RECORDING);
  checkOptions('options', options as SendVoiceOptions, SEND_VOICE);
}

/** How long a sound is and how loud: what its recorder says, unless the options say otherwise. */
export function checkedSound(recording: Partial<Sound> | undefined, options: Partial<Sound>): Sound {
  const { durationMs = recording?.durationMs, peaks = recording?.peaks } = options;
  const sound = { durationMs, peaks } as Sound;
  checkOptions('options', sound, { durationMs: DURATION, peaks: PEAKS }, ['durationMs', 'peaks']);
  return sound;
}

export function checkReaction(emoji: unknown): void {
  if (emoji !== undefined) check('emoji', emoji, EMOJI);
}

export const checkName = (name: unknown): void => check('name', name, TEXT);

export const checkMember = (member: unknown): void => check('member', member, MEMBER);

/** The id of a member, who need not be here. */
export function checkedId(member: unknown): string {
  check('member', member, either(MEMBER, MEMBER_ID));
  return typeof member === 'string' ? member : (member as Member).id;
}

export const checkRights = (rights: unknown): void =>
  check('rights', rights, { expected: 'an array of rights', accepts: Array.isArray });

export const checkLeave = (options: LeaveOptions): void => checkOptions('options', options, { delegate: MEMBER });

export const checkListen = (options: ListenOptions): void => checkOptions('options', options, { signal: SIGNAL });

export const checkFetch: (options: FetchOptions) => void = checkListen;

export function checkListener(name: unknown, listener: unknown, options: ListenOptions = {}): void {
  checkRoomEvent(name);
  check('listener', listener, CALLBACK);
  checkListen(options);
}

export const checkRoomEvent = (name: unknown): void => checkEvent(name, EVENT_NAMES);
