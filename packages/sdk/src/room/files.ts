import { QsecError } from '../errors.ts';
import { blobType, cleanFileName, cleanMediaType, UNKNOWN_TYPE } from '../media/file-name.ts';
import { sealedBytes } from '../media/layout.ts';
import { MAX_THUMBNAIL_PIXELS, smallPicture } from '../media/pictures/small.ts';
import type { Recording } from '../media/recorder/recorder.ts';
import type { Sealing } from '../media/seal.ts';
import { linked } from '../media/signals.ts';
import type { FileSource, OpenSource } from '../media/source.ts';
import { DEFAULTS, type FileOptions } from '../options.ts';
import { part } from '../part.ts';
import { ATTACHMENT_LIMITS, type Attachment, type VoiceAttachment } from '../protocol/attachment.ts';
import type { MessageBody } from '../protocol/group-content.ts';
import { type Bytes, toBase64url } from '../wire/index.ts';
import { BlobCache } from './blob-cache.ts';
import type { RoomContext } from './context.ts';
import { ReceivedFile } from './received-file.ts';
import { RelayBlobs } from './relay-blobs.ts';
import { checkedSound } from './room-arguments.ts';
import { TransferProgress } from './transfer-progress.ts';
import type { MessageFile, SendFileOptions, SendOptions, SendVoiceOptions, SentMessage, VoiceMessage } from './types.ts';

/** Loaded with the first file. */
const transfers = () => part(() => import('../media/transfer.ts'));

/** Files that are fetched before anybody asks for them, at a time: together as much as the cache takes. */
const MAX_AHEAD = 8;
/** And how many more wait. What is announced faster is fetched when it is asked for. */
const MAX_WAITING_AHEAD = 64;

/** Files of a room: out, sealed and stored before anyone is told of them; in, fetched when they are wanted. */
export class Files {
  readonly #context: RoomContext;
  readonly #options: Required<FileOptions>;
  readonly #say: (body: MessageBody, options: SendOptions) => Promise<SentMessage>;
  readonly #port: RelayBlobs;
  readonly #closed = new AbortController();
  readonly #cache = new BlobCache();
  /** Blobs to be deleted when the relay can be reached again, base64url. */
  readonly #abandoned = new Set<string>();
  /** Content of our own files, by the id of the blob, until its message is made. */
  readonly #own = new Map<string, Blob>();
  /** Files that are being fetched before anybody asked for them, and those that wait for their turn. */
  #ahead = 0;
  readonly #waitingAhead: MessageFile[] = [];

  constructor(
    context: RoomContext,
    options: FileOptions,
    say: (body: MessageBody, options: SendOptions) => Promise<SentMessage>,
  ) {
    this.#context = context;
    this.#options = {
      fetchUpTo: options.fetchUpTo ?? DEFAULTS.fetchUpTo,
      maxBytes: options.maxBytes ?? DEFAULTS.maxBytes,
    };
    this.#say = say;
    this.#port = new RelayBlobs(() => context.session);
    context.events.on('message', ({ file, voice }) => {
      const received = file ?? voice;
      if (received && received.size <= this.#options.fetchUpTo) this.#fetchAhead(received);
    });
  }

  async send(source: FileSource, options: SendFileOptions): Promise<SentMessage> {
    const thumbnail = await pictureOf(options.thumbnail);
    const open = (await transfers()).openSource(source);
    const attachment = await this.#store(open, () => this.#seal(open), options, thumbnail);
    return this.#announce({ kind: 'file', attachment }, options);
  }

  async sendVoice(source: FileSource | Recording, options: Partial<SendVoiceOptions>): Promise<SentMessage> {
    const { openSource, sealingOf } = await transfers();
    const recording = 'prepared' in source ? source : undefined;
    const { durationMs, peaks } = checkedSound(recording, options);
    const open = openSource('prepared' in source ? source.blob : source);
    // What was sealed while it was recorded only has to be handed over.
    const seal = async () => (recording ? sealingOf(recording.prepared) : this.#seal(open));
    const attachment = await this.#store(open, seal, { name: 'voice', ...options }, NOTHING);
    return this.#announce(
      { kind: 'voice', attachment: { ...attachment, durationMs: Math.round(durationMs), peaks: quantised(peaks) } },
      options,
    );
  }

  /** What an application sees of a file that a message tells of. */
  shown(message: string, attachment: Attachment): MessageFile {
    const blob = toBase64url(attachment.id);
    const own = this.#own.get(blob);
    this.#own.delete(blob);
    // A File refers to what is on the disk; anything else would stay in memory for as long as its message.
    const onDisk = isFile(own);
    if (own && !onDisk) {
      this.#cache.set(message, new Blob([own], { type: blobType(cleanMediaType(attachment.type)) }));
    }
    return new ReceivedFile({
      message,
      attachment,
      own: onDisk ? own : undefined,
      cache: this.#cache,
      port: this.#port,
      closed: this.#closed.signal,
      maxBytes: this.#options.maxBytes,
      keepUpTo: this.#options.fetchUpTo,
      tell: (progress) => this.#context.events.emit('progress', progress),
    });
  }

  shownVoice(message: string, attachment: VoiceAttachment): VoiceMessage {
    const peaks = Array.from(attachment.peaks, (peak) => peak / 255);
    return Object.assign(this.shown(message, attachment), { durationMs: attachment.durationMs, peaks });
  }

  /** A file of ours was taken back: nothing of it stays at the relay. */
  withdraw(attachment: Attachment): void {
    this.#abandon(attachment);
  }

  /** The relay can be reached, for the first time or again. */
  arrived(): void {
    this.#port.arrived();
    this.#dropAbandoned();
  }

  /** Ends every transfer. */
  close(): void {
    this.#closed.abort(new QsecError('CLOSED', 'This room was left or ended.'));
    this.#own.clear();
    this.#cache.clear();
  }

  /** Seals a file and hands it to the relay. Whatever goes wrong, nothing of it is left there. */
  async #store(open: OpenSource, seal: () => Promise<Sealing>, options: SendFileOptions, thumbnail: Bytes): Promise<Attachment> {
    const { signal, onProgress } = options;
    const { upload } = await transfers();
    const name = cleanFileName(options.name ?? open.name ?? '');
    const type = cleanMediaType(options.type ?? open.type ?? UNKNOWN_TYPE);
    this.#check(open);
    if (signal?.aborted) throw cancelled(signal.reason);
    const progress = new TransferProgress({ direction: 'send', name }, open.size, (told) => {
      this.#context.events.emit('progress', told);
      onProgress?.(told);
    });
    const { signal: stop, unlink } = linked(this.#closed.signal, signal);
    const sealing = await seal();
    try {
      await upload(this.#port, sealing, { signal: stop, onChunk: (count) => progress.chunks(count) });
      const sealed = await sealing.sealed;
      if (sealed.size === 0) throw empty();
      progress.end('done');
      this.#keepOwn(sealed, open);
      return { ...sealed, name, type, thumbnail };
    } catch (error) {
      progress.end(stop.aborted ? 'cancelled' : 'failed');
      this.#abandon(sealing);
      throw signal?.aborted ? cancelled(error) : error;
    } finally {
      unlink();
    }
  }

  #keepOwn({ id, size }: Pick<Attachment, 'id' | 'size'>, { file, blob }: OpenSource): void {
    const own = file ?? (size <= this.#options.fetchUpTo ? blob?.() : undefined);
    if (own) this.#own.set(toBase64url(id), own);
  }

  async #seal({ stream }: OpenSource): Promise<Sealing> {
    const { sealFile } = await transfers();
    return sealFile(stream, { maxBytes: this.#options.maxBytes });
  }

  /** Tells everyone of a file that is stored. One that nobody is told of does not stay. */
  async #announce(
    body: Extract<MessageBody, { kind: 'file' | 'voice' }>,
    { signal, ...options }: SendFileOptions,
  ): Promise<SentMessage> {
    try {
      if (signal?.aborted) throw cancelled(signal.reason);
      return await this.#say(body, options);
    } catch (error) {
      this.#own.delete(toBase64url(body.attachment.id));
      this.#abandon(body.attachment);
      throw error;
    }
  }

  /** What can be known before a byte is read. */
  #check({ size }: OpenSource): void {
    const { session } = this.#context;
    if (session.limits && !session.blobs) throw new QsecError('UNSUPPORTED', 'This relay keeps no files.');
    if (size === 0) throw empty();
    if (size === undefined) return;
    const limit = this.#options.maxBytes;
    const room = session.limits?.blobs?.roomBytes ?? Number.POSITIVE_INFINITY;
    if (size <= limit && sealedBytes(size) <= room) return;
    throw new QsecError('FILE_TOO_LARGE', `This file has ${size} bytes; at most ${Math.min(limit, room)} can be sent.`, {
      details: { size, limit: Math.min(limit, room) },
    });
  }

  #abandon({ id }: Pick<Sealing, 'id'>): void {
    this.#abandoned.add(toBase64url(id));
    this.#dropAbandoned();
  }

  /** What cannot be deleted now is when the connection is back; should it never be, the relay gives it up by itself. */
  #dropAbandoned(): void {
    for (const blob of this.#abandoned) {
      this.#port.drop({ blob }).then(
        () => this.#abandoned.delete(blob),
        (error: unknown) => this.#context.logger('info', 'a file could not be deleted yet', { error: String(error) }),
      );
    }
  }

  #fetchAhead(file: MessageFile): void {
    if (this.#ahead < MAX_AHEAD) void this.#fetchNow(file);
    else if (this.#waitingAhead.length < MAX_WAITING_AHEAD) this.#waitingAhead.push(file);
  }

  async #fetchNow(file: MessageFile): Promise<void> {
    this.#ahead++;
    for (let next: MessageFile | undefined = file; next && !this.#closed.signal.aborted; next = this.#waitingAhead.shift()) {
      await next.blob().catch((error: unknown) => {
        this.#context.logger('info', 'a file could not be fetched ahead', { error: String(error) });
      });
    }
    this.#ahead--;
  }
}

const isFile = (blob: Blob | undefined): blob is File => typeof File !== 'undefined' && blob instanceof File;

const NOTHING: Bytes = new Uint8Array(0);

const empty = () => new QsecError('INVALID_ARGUMENT', '"file" is empty.');

const cancelled = (cause: unknown) => new QsecError('ABORTED', 'Sending a file was cancelled.', { cause });

async function pictureOf(picture: Blob | Uint8Array | undefined): Promise<Bytes> {
  if (picture === undefined) return NOTHING;
  const bytes = picture instanceof Blob ? new Uint8Array(await picture.arrayBuffer()) : new Uint8Array(picture);
  if (bytes.length <= ATTACHMENT_LIMITS.thumbnailBytes && smallPicture(bytes)) return bytes;
  throw new QsecError(
    'INVALID_ARGUMENT',
    `"thumbnail" expected a PNG, JPEG or WebP of at most ${ATTACHMENT_LIMITS.thumbnailBytes} bytes and ${MAX_THUMBNAIL_PIXELS} pixels.`,
  );
}

/** Loudness from 0 to 1 in bytes. */
const quantised = (peaks: readonly number[]): Bytes =>
  Uint8Array.from(peaks, (peak) => Math.round(255 * Math.min(1, Math.max(0, peak))));
