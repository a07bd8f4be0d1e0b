import type { Ack, ClientToRelay, RelayToClient } from '@qsec2/sdk/wire';
import type { Socket } from 'socket.io';
import type { EncodedBatch } from '../frames/encoded-batch.ts';
import { textFrame } from '../frames/web-socket-frames.ts';
import type { ControlEvents, Link } from '../hub/link.ts';
import type { WebSocketInternals } from './intake.ts';
import type { PauseReason, Reading } from './reading.ts';

export type RelaySocket = Socket<ClientToRelay, RelayToClient>;

/** Packets that may wait in Engine.IO's buffer before the relay stops reading from a client that does not read. */
const MAX_WAITING_PACKETS = 1024;

/** What Engine.IO lets a packet bring along: frames for `ws`, ready to be written. Socket.IO's own broadcast uses it for text. */
interface PreEncoded {
  wsPreEncodedFrame: Buffer[];
}

/** A Socket.IO connection as the hub sees it. */
export class SocketLink implements Link {
  readonly id: string;
  readonly #socket: RelaySocket;
  /** Batches go out as ready WebSocket frames where the versions in use allow it; else as ordinary events. */
  readonly #fast: boolean;
  readonly #reading: Reading;
  /** An acknowledgement, as a WebSocket frame, that waits for what goes out next. */
  #ack: Buffer | undefined;
  #pending = 0;
  /** Not read from until what waits was taken. */
  #waiting = false;
  #drainedAt = performance.now();
  #listener: () => void = () => {};

  constructor(socket: RelaySocket, reading: Reading, node: string) {
    this.#socket = socket;
    this.#reading = reading;
    this.id = `${node}.${socket.id}`;
    this.#fast = typeof webSocketOf(socket)?._sender?.sendFrame === 'function';
  }

  get pending(): number {
    return this.#pending;
  }

  get stalledMs(): number {
    return this.#pending === 0 && !this.#stuck ? 0 : performance.now() - this.#drainedAt;
  }

  send<E extends keyof ControlEvents>(event: E, ...payload: Parameters<ControlEvents[E]>): void {
    (this.#socket.emit as (event: string, ...payload: unknown[]) => boolean)(event, ...payload);
    this.checkIsRead();
  }

  sendBatch(batch: EncodedBatch): void {
    const { bytes } = batch;
    if (this.#pending === 0) this.#drainedAt = performance.now();
    this.#pending += bytes;
    const written = () => {
      this.#pending -= bytes;
      this.#drainedAt = performance.now();
      this.#listener();
    };
    if (this.#fast) {
      const [header, items] = batch.frames;
      const ack = this.#ack;
      this.#ack = undefined;
      this.#write([ack ? Buffer.concat([ack, header]) : header, items], written);
    } else {
      this.#socket.emit('batch', batch.plain);
      // Runs when what stands before it in Engine.IO's buffer was written, the batch included.
      engine(this.#socket).once('drain', written);
    }
  }

  sendAck(ack: Ack): void {
    if (!this.#fast) {
      this.#socket.emit('ack', ack);
      return;
    }
    this.flush();
    // `4` is Engine.IO's message, `2` Socket.IO's event.
    this.#ack = textFrame(`42${JSON.stringify(['ack', ack])}`);
  }

  flush(): void {
    const ack = this.#ack;
    if (!ack) return;
    this.#ack = undefined;
    this.#write([ack]);
    this.checkIsRead();
  }

  /** Reads nothing from a client that reads nothing: what it asks has replies, and those wait here. */
  checkIsRead(): void {
    if (!this.#stuck || this.#waiting) return;
    this.#waiting = true;
    this.#reading.stop('stuck');
    this.#waitUntilRead();
  }

  onDrain(listener: () => void): void {
    this.#listener = listener;
  }

  stopReading(reason: PauseReason): void {
    this.#reading.stop(reason);
  }

  goOnReading(reason: PauseReason): void {
    this.#reading.goOn(reason);
  }

  close(): void {
    // What closes has to read the other side's farewell.
    this.#reading.end();
    this.#socket.disconnect(true);
    // A client that said farewell may keep its connection otherwise.
    this.#socket.conn.close();
  }

  /** Closes without a farewell, and drops what waits. */
  terminate(): void {
    webSocketOf(this.#socket)?.terminate?.();
  }

  #write(frames: Buffer[], written?: () => void): void {
    const options: PreEncoded = { wsPreEncodedFrame: frames };
    engine(this.#socket).write('', options as object, written);
  }

  /** Too many small packets wait as well: the client reads nothing at all. */
  get #stuck(): boolean {
    return engine(this.#socket).writeBuffer.length > MAX_WAITING_PACKETS;
  }

  #waitUntilRead(): void {
    engine(this.#socket).once('drain', () => {
      this.#drainedAt = performance.now();
      if (this.#stuck) {
        this.#waitUntilRead();
        return;
      }
      this.#waiting = false;
      this.#reading.goOn('stuck');
    });
  }
}

interface EngineSocket {
  writeBuffer: unknown[];
  transport: { socket?: WebSocketInternals };
  write(data: string, options: object, callback?: () => void): unknown;
  once(event: 'drain', listener: () => void): unknown;
}

const engine = (socket: RelaySocket): EngineSocket => socket.conn as unknown as EngineSocket;

const webSocketOf = (socket: RelaySocket): WebSocketInternals | undefined => engine(socket).transport.socket;
