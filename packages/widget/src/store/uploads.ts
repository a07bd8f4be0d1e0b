import type { FileProgress, Room, SentMessage } from '@qsec2/sdk';
import type { Recording } from '@qsec2/sdk/voice';
import { inlineOf } from '../media/inline.logic';
import { problemFrom } from './problem.logic';
import type { FileView, MessageItem, VoiceView } from './view';

/** Something to send that is not text. */
export interface Outgoing {
  blob: Blob;
  name: string;
  type: string;
  voice?: VoiceView | undefined;
  /** The recording itself, sealed while it was made; it can be sent once. */
  recording?: Recording | undefined;
}

export interface UploadSink {
  /** The file as it is now: on its way, or failed. */
  show(item: MessageItem): void;
  /** All of it is with the relay, and the others are told of it. */
  sent(upload: MessageItem, message: SentMessage): void;
}

let uploads = 0;

/** Files of one room on their way out. Each is a message on screen from the start. */
export class Uploads {
  readonly #room: Room;
  readonly #sink: UploadSink;
  readonly #running = new Map<string, AbortController>();
  #stopped = false;

  constructor(room: Room, sink: UploadSink) {
    this.#room = room;
    this.#sink = sink;
  }

  async send(outgoing: Outgoing): Promise<void> {
    uploads += 1;
    const id = `upload-${uploads}`;
    const item: MessageItem = {
      kind: 'message',
      id,
      at: new Date(),
      mine: true,
      author: 'me',
      name: this.#room.me.name,
      text: '',
      status: 'sending',
      file: localFile(outgoing),
      done: 0,
    };
    const abort = new AbortController();
    this.#running.set(id, abort);
    this.#show(item);
    try {
      const sent = await this.#hand(outgoing, abort.signal, (done) => this.#show({ ...item, done }));
      if (!this.#stopped) this.#sink.sent(item, sent);
    } catch (error) {
      this.#show({ ...item, status: 'failed', done: undefined, problem: problemFrom(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  cancel(id: string): void {
    this.#running.get(id)?.abort();
  }

  /** Nothing is shown any more. The room ends its transfers by itself. */
  stop(): void {
    this.#stopped = true;
  }

  async #hand(
    { blob, name, type, voice, recording }: Outgoing,
    signal: AbortSignal,
    onDone: (done: number) => void,
  ): Promise<SentMessage> {
    const onProgress = ({ done, state }: FileProgress) => {
      if (state === 'running') onDone(done);
    };
    const options = { signal, onProgress };
    if (recording) return this.#room.sendVoice(recording, options);
    if (voice) return this.#room.sendVoice(blob, { ...options, ...voice, type });
    const kind = inlineOf(type);
    if (kind !== 'image' && kind !== 'video') return this.#room.sendFile(blob, { ...options, name, type });
    const thumbnail = await thumbnailOf(blob, kind);
    return this.#room.sendFile(blob, { ...options, name, type, ...(thumbnail && { thumbnail }) });
  }

  #show(item: MessageItem): void {
    if (!this.#stopped) this.#sink.show(item);
  }
}

/** What draws small pictures is loaded with the first picture. Without it, pictures go without. */
async function thumbnailOf(blob: Blob, kind: 'image' | 'video'): Promise<Blob | undefined> {
  const drawing = await import('../media/thumbnail').catch(() => undefined);
  return drawing?.thumbnailOf(blob, kind);
}

function localFile({ blob, name, type, voice }: Outgoing): FileView {
  return { name, type, size: blob.size, voice, blob: async () => blob };
}
