import { batchHeader } from './item.ts';
import { binaryFrameHeader, textFrame } from './web-socket-frames.ts';

/**
 * The Socket.IO header of a binary `batch` event inside its Engine.IO message, as one WebSocket text frame of a server: `4` is
 * Engine.IO's message, `5` Socket.IO's binary event, `1-` its number of attachments. The attachment is the next frame.
 */
const EVENT_FRAME = textFrame('451-["batch",{"_placeholder":true,"num":0}]');

/** A batch that goes to several members: each form of it is made once, when first asked for. */
export class EncodedBatch {
  readonly #header: Buffer;
  readonly #items: Buffer;
  #plain: Buffer | undefined;
  #frames: [Buffer, Buffer] | undefined;

  constructor(from: number, to: number, count: number, items: Buffer) {
    this.#header = batchHeader(from, to, count);
    this.#items = items;
  }

  get bytes(): number {
    return this.#header.length + this.#items.length;
  }

  /** The batch of the wire contract, to be emitted as an event. */
  get plain(): Buffer {
    this.#plain ??= Buffer.concat([this.#header, this.#items]);
    return this.#plain;
  }

  /** The same event as WebSocket frames, header and attachment together, so that nothing can fall between them. */
  get frames(): [Buffer, Buffer] {
    this.#frames ??= [Buffer.concat([EVENT_FRAME, binaryFrameHeader(this.bytes), this.#header]), this.#items];
    return this.#frames;
  }
}
