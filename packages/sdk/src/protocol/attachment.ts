import { QsecError } from '../errors.ts';
import type { Bytes, Reader, Writer } from '../wire/index.ts';

/** What a message says about a file that lies sealed at the relay. All of it is inside the encryption and under the signature. */

export const ATTACHMENT_LIMITS = {
  nameBytes: 1024,
  typeBytes: 512,
  thumbnailBytes: 65_536,
  peaks: 256,
} as const;

const ID_BYTES = 16;
const HASH_BYTES = 32;

export interface Attachment {
  /** Names the file at the relay. */
  id: Bytes;
  secret: Bytes;
  commitment: Bytes;
  digest: Bytes;
  /** Bytes of content. */
  size: number;
  name: string;
  type: string;
  /** A small picture, encoded as PNG, JPEG or WebP; empty for none. */
  thumbnail: Bytes;
}

export interface VoiceAttachment extends Attachment {
  durationMs: number;
  /** Loudness over time, 0–255. */
  peaks: Bytes;
}

export function writeAttachment(writer: Writer, attachment: Attachment): void {
  const { id, secret, commitment, digest, size, name, type, thumbnail } = attachment;
  writer.fixed(id).fixed(secret).fixed(commitment).fixed(digest).u48(size).text(name).text(type).variable(thumbnail);
}

export function writeVoice(writer: Writer, voice: VoiceAttachment): void {
  writeAttachment(writer, voice);
  writer.u32(voice.durationMs).variable(voice.peaks);
}

/** @throws {QsecError} `INVALID_ARGUMENT` for anything {@link writeAttachment} cannot have written */
export function readAttachment(reader: Reader): Attachment {
  return {
    id: reader.fixed(ID_BYTES).slice(),
    secret: reader.fixed(HASH_BYTES).slice(),
    commitment: reader.fixed(HASH_BYTES).slice(),
    digest: reader.fixed(HASH_BYTES).slice(),
    size: reader.u48(),
    name: reader.text(ATTACHMENT_LIMITS.nameBytes),
    type: reader.text(ATTACHMENT_LIMITS.typeBytes),
    thumbnail: reader.variable(ATTACHMENT_LIMITS.thumbnailBytes).slice(),
  };
}

/** @throws {QsecError} `INVALID_ARGUMENT` for anything {@link writeVoice} cannot have written */
export function readVoice(reader: Reader): VoiceAttachment {
  const attachment = readAttachment(reader);
  const durationMs = reader.u32();
  const peaks = reader.variable(ATTACHMENT_LIMITS.peaks).slice();
  if (attachment.thumbnail.length > 0) throw new QsecError('INVALID_ARGUMENT', 'a voice message has no picture');
  return { ...attachment, durationMs, peaks };
}
