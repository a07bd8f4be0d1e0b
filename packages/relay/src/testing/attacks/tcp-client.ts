import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A TCP connection to a relay over which anything can be written. */
export class TcpClient {
  readonly socket: Socket;
  /** What came. */
  received = '';
  /** The relay ended it, or both its halves are closed. */
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
    });
    // What is refused may be refused with a reset.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.closed = true;
    });
  }

  static async open(url: string, options: { allowHalfOpen?: boolean; localAddress?: string } = {}): Promise<TcpClient> {
    const { hostname, port } = new URL(url);
    const client = new TcpClient(connect({ host: hostname, port: Number(port), ...options }));
    await once(client.socket, 'connect');
    return client;
  }

  write(data: string | Buffer): void {
    if (!this.socket.destroyed) this.socket.write(data);
  }

  /** Resolves when `condition` holds; it is looked at whenever something comes. */
  async until(condition: () => boolean): Promise<this> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.socket.off('data', wake).off('end', wake).off('close', wake);
          resolve();
        };
        this.socket.on('data', wake).on('end', wake).on('close', wake);
      });
    }
    return this;
  }

  /** The status of the `nth` answer. */
  async answer(nth = 1): Promise<number> {
    await this.until(() => this.closed || this.#statuses().length >= nth);
    return this.#statuses()[nth - 1] ?? 0;
  }

  #statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** The head of a request for an upgrade, as a browser sends it, without the empty line that ends it. */
export const upgradeHead = (path = '/qsec2/?EIO=4&transport=websocket'): string =>
  `GET ${path} HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n`;

/** A WebSocket frame with an empty mask (RFC 6455 §5.2). The first byte has the FIN bit and the opcode. */
export function clientFrame(first: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([first]), lengthOf(bytes), Buffer.alloc(4), bytes]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 126) return Buffer.from([0x80 | length]);
  if (length < 65_536) return Buffer.from([0x80 | 126, length >> 8, length & 0xff]);
  const field = Buffer.alloc(9, 0x80 | 127);
  field.writeBigUInt64BE(BigInt(length), 1);
  return field;
}
