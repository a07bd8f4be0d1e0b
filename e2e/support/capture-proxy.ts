import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** Clients mask what they send (RFC 6455 §5.3); what a relay receives is the unmasked payload. */
class WebSocketUnmasker {
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;

  /** Takes the next bytes of the stream, returns what is readable by the receiver. */
  read(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const out: Buffer[] = [];
    if (!this.#upgraded) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return out;
      out.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end + 4);
      // A plain request has no body here; what follows an upgrade are frames.
      if (!/upgrade: websocket/i.test(out[0]?.toString('latin1') ?? '')) return [...out, ...this.read(Buffer.alloc(0))];
      this.#upgraded = true;
    }
    for (let frame = this.#frame(); frame; frame = this.#frame()) out.push(frame);
    return out;
  }

  #frame(): Buffer | undefined {
    const bytes = this.#rest;
    if (bytes.length < 2) return undefined;
    let length = bytes.readUInt8(1) & 0x7f;
    let offset = 2;
    if (length >= 126) {
      const size = length === 126 ? 2 : 8;
      if (bytes.length < offset + size) return undefined;
      length = size === 2 ? bytes.readUInt16BE(offset) : Number(bytes.readBigUInt64BE(offset));
      offset += size;
    }
    const masked = (bytes.readUInt8(1) & 0x80) !== 0;
    const mask = bytes.subarray(offset, offset + (masked ? 4 : 0));
    offset += mask.length;
    if (bytes.length < offset + length) return undefined;
    const payload = Buffer.from(bytes.subarray(offset, offset + length));
    if (masked) for (let i = 0; i < payload.length; i++) payload[i] = payload.readUInt8(i) ^ mask.readUInt8(i & 3);
    this.#rest = bytes.subarray(offset + length);
    return payload;
  }
}

/** A TCP proxy in front of a relay that keeps everything the relay receives, in the form the relay reads it. */
export class CaptureProxy {
  readonly received: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(targetPort: number): Promise<CaptureProxy> {
    const server = createServer();
    const proxy = new CaptureProxy(server);
    server.on('connection', (client) => {
      const relay = createConnection(targetPort, '127.0.0.1');
      const unmasker = new WebSocketUnmasker();
      for (const socket of [client, relay]) {
        proxy.#sockets.add(socket);
        socket.on('close', () => proxy.#sockets.delete(socket));
        // A side that resets its connection ends the other one, too.
        socket.on('error', () => socket.destroy());
      }
      client.on('data', (chunk: Buffer) => proxy.received.push(...unmasker.read(chunk)));
      client.pipe(relay).pipe(client);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
