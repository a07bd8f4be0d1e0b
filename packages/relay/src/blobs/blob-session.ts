import type { RelayError, Reply } from '@qsec2/sdk/wire';
import type { Socket } from 'socket.io';
import { refusals } from '../hub/errors.ts';
import { blobRequests, isChunk } from './blob-requests.ts';
import type { BlobStore } from './blob-store.ts';
import { blobRefusals } from './refusals.ts';

/** Requests a connection may have without a reply, as announced at join. */
export const BLOB_REQUESTS_IN_FLIGHT = 16;
/** Packets waiting for a connection beyond which the next chunk is not read from the disk: two packets a chunk. */
const MAX_WAITING_PACKETS = 8;

export interface BlobSessionOptions {
  blobs: BlobStore;
  /** The room and seat of this connection, once it has joined. */
  member(): { room: string; seat: string } | undefined;
  draining(): boolean;
  onError(error: unknown): void;
}

type AnyReply = (reply: Reply<unknown>) => void;
type Work = (member: { room: string; seat: string }) => Promise<Reply<unknown>>;

/**
 * What one connection asks about blobs. Puts are written as they come, since what is unacknowledged is bounded; chunks are sent one
 * after the other, each only when the connection has taken what was sent before.
 */
export class BlobSession {
  readonly #socket: Socket;
  readonly #options: BlobSessionOptions;
  #inFlight = 0;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(socket: Socket, options: BlobSessionOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  put(request: unknown, chunk: unknown, reply: unknown): void {
    void this.#request(reply, (member) => this.#put(member, request, chunk));
  }

  get(request: unknown, reply: unknown): void {
    void this.#request(reply, (member) => this.#get(member, request));
  }

  drop(request: unknown, reply: unknown): void {
    void this.#request(reply, (member) => this.#drop(member, request));
  }

  async #request(reply: unknown, work: Work): Promise<void> {
    // What cannot be answered is not done: there is no way to say why.
    if (typeof reply !== 'function') return;
    const answer = reply as AnyReply;
    const refusal = this.#refusal();
    const member = this.#options.member();
    if (refusal || !member) {
      answer({ error: refusal ?? refusals.notJoined });
      return;
    }
    this.#inFlight++;
    try {
      answer(await work(member));
    } catch (error) {
      this.#options.onError(error);
      answer({ error: refusals.unavailable });
    } finally {
      this.#inFlight--;
    }
  }

  #refusal(): RelayError | undefined {
    if (this.#options.draining()) return refusals.draining;
    // Twice what was announced: replies on their way are not yet known to the client.
    return this.#inFlight >= 2 * BLOB_REQUESTS_IN_FLIGHT ? blobRefusals.tooManyInFlight : undefined;
  }

  async #put({ room, seat }: { room: string; seat: string }, value: unknown, chunk: unknown): Promise<Reply<unknown>> {
    const request = blobRequests.put(value);
    if (!request || !isChunk(chunk, request.last)) return { error: refusals.badRequest };
    const stored = await this.#options.blobs.put({ room, owner: seat, chunk, ...request });
    return typeof stored === 'string' ? { error: blobRefusals[stored] } : { ok: stored };
  }

  #get({ room }: { room: string }, value: unknown): Promise<Reply<unknown>> {
    const request = blobRequests.get(value);
    if (!request) return Promise.resolve({ error: refusals.badRequest });
    const next = this.#sending.then(async (): Promise<Reply<unknown>> => {
      if (!(await this.#taken())) return { error: refusals.unavailable };
      const found = await this.#options.blobs.get(room, request.blob, request.index);
      return found ? { ok: found } : { error: blobRefusals.noBlob };
    });
    this.#sending = next.catch(() => undefined);
    return next;
  }

  async #drop({ room, seat }: { room: string; seat: string }, value: unknown): Promise<Reply<unknown>> {
    const request = blobRequests.drop(value);
    if (!request) return { error: refusals.badRequest };
    const dropped = await this.#options.blobs.drop(room, request.blob, seat);
    return dropped ? { ok: true } : { error: blobRefusals.owner };
  }

  /** Resolves when the connection has taken enough of what was sent to it; with false when it is gone. */
  async #taken(): Promise<boolean> {
    const conn = this.#socket.conn as unknown as EngineSocket;
    while (this.#socket.connected && conn.writeBuffer.length > MAX_WAITING_PACKETS) {
      await new Promise<void>((resolve) => {
        const done = () => {
          conn.off('drain', done);
          conn.off('close', done);
          resolve();
        };
        conn.on('drain', done);
        conn.on('close', done);
      });
    }
    return this.#socket.connected;
  }
}

/** What Engine.IO's connection tells of the packets that wait for it. */
interface EngineSocket {
  writeBuffer: unknown[];
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}
