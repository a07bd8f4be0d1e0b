import { check, type Kind, TEXT } from '../arguments.ts';
import { QsecError } from '../errors.ts';
import { versionMismatch } from '../version.ts';
import { type Bytes, fromBase64url, Reader, toBase64url, Writer } from '../wire/index.ts';
import { withCode } from './fragment.ts';

/** Bytes of the shared secret S, the room id and the creator's fingerprint in an invite. */
export const INVITE_SECRET_BYTES = 32;
const ROOM_ID_BYTES = 16;
export const FINGERPRINT_BYTES = 16;

const VERSION = 1;
/** Marks an invite in a URL fragment and tells it from an anchor of the page. */
const PREFIX = 'q2.';
const FORM = 2;
/** An invite of another form: as long as ours at least, so that no word on a page is taken for one. */
const OTHER_FORM = /\bq(\d{1,3})\.[\w-]{90,}/;

const ADDRESS: Kind = { expected: 'the address of a page', accepts: (value) => URL.canParse(String(value)) };

export interface InviteFields {
  /** Rises by one when a member is removed and the link renewed. */
  generation: number;
  roomId: Uint8Array;
  /** S: 256 random bits that only people with the link know. */
  secret: Uint8Array;
  /** Pins the creator's identity key. */
  creator: Uint8Array;
}

/**
 * The right to join a room: what the link carries behind its `#`, where no server sees it.
 *
 * Layout: version u8 | generation u32 | roomId 16 | S 32 | creator fingerprint 16, as base64url behind `q2.`.
 */
export class Invite {
  readonly generation: number;
  readonly roomId: Bytes;
  readonly secret: Bytes;
  readonly creator: Bytes;

  constructor({ generation, roomId, secret, creator }: InviteFields) {
    this.generation = generation;
    this.roomId = new Uint8Array(roomId);
    this.secret = new Uint8Array(secret);
    this.creator = new Uint8Array(creator);
  }

  /** The text after a link's `#`. Whoever has it can join: treat it as a password. */
  get code(): string {
    const fields = new Writer().u8(VERSION).u32(this.generation).fixed(this.roomId).fixed(this.secret).fixed(this.creator);
    return PREFIX + toBase64url(fields.bytes());
  }

  /**
   * A link that opens the room on the page at `base`. A route in its fragment (`#/chat/1`) is kept, an anchor is replaced.
   * @throws {QsecError} `INVALID_ARGUMENT`
   */
  link(base: string | URL): string {
    check('base', base, ADDRESS);
    const url = new URL(base);
    url.hash = withCode(url.hash, this.code);
    return url.href;
  }

  /**
   * Reads a link, a fragment with or without its `#`, or a bare code.
   * @throws {QsecError} `INVALID_ARGUMENT` when it is no text, `INVITE_INVALID` when it is none of these or is cut short, `VERSION_MISMATCH`.
   */
  static parse(text: string): Invite {
    check('text', text, TEXT);
    const start = text.lastIndexOf(PREFIX);
    if (start < 0) {
      const other = OTHER_FORM.exec(text);
      if (other) throw versionMismatch({ what: 'invite', theirs: Number(other[1]), ours: FORM, whose: 'link' });
      throw new QsecError('INVITE_INVALID', 'This is not an invite: no code was found in it.');
    }
    try {
      const reader = new Reader(fromBase64url(text.slice(start + PREFIX.length).trim()));
      const version = reader.u8();
      if (version !== VERSION) throw versionMismatch({ what: 'invite', theirs: version, ours: VERSION, whose: 'link' });
      const invite = new Invite({
        generation: reader.u32(),
        roomId: reader.fixed(ROOM_ID_BYTES),
        secret: reader.fixed(INVITE_SECRET_BYTES),
        creator: reader.fixed(FINGERPRINT_BYTES),
      });
      reader.end();
      return invite;
    } catch (cause) {
      if (QsecError.is(cause, 'VERSION_MISMATCH')) throw cause;
      throw new QsecError('INVITE_INVALID', 'This invite is incomplete or was changed on the way.', { cause });
    }
  }

  /** Whether `text` looks like something {@link Invite.parse} would read, or an invite of another version. */
  static isIn(text: string): boolean {
    return text.includes(PREFIX) || OTHER_FORM.test(text);
  }

  /** Keeps the secret out of logs and string templates. */
  toString(): string {
    return 'Invite(…)';
  }
  toJSON(): string {
    return this.toString();
  }
}
