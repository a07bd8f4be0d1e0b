import { once } from 'node:events';
import { RELAY_PATH } from '@qsec2/sdk/wire';
import { WebSocket } from 'ws';

/** Where a relay takes WebSocket connections. `query` adds to what a client asks for. */
export const webSocketUrl = (url: string, query = ''): string =>
  `${url.replace('http', 'ws')}${RELAY_PATH}?EIO=4&transport=websocket${query}`;

/** A WebSocket to a relay that sends whatever packets it is told to, in any order. The packets are Engine.IO's. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly received: string[] = [];
  #wake: () => void = () => {};

  constructor(url: string, options: { query?: string; headers?: Record<string, string>; localAddress?: string } = {}) {
    const { query, ...rest } = options;
    this.socket = new WebSocket(webSocketUrl(url, query), { perMessageDeflate: false, ...rest });
    this.socket.on('message', (data, binary) => {
      this.received.push(binary ? 'binary' : data.toString());
      this.#wake();
    });
    this.socket.on('close', () => this.#wake());
    // It closes as well.
    this.socket.on('error', () => {});
  }

  get closed(): boolean {
    return this.socket.readyState === WebSocket.CLOSED;
  }

  async opened(): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    return this;
  }

  /** Says hello as Socket.IO does, and waits for the answer. */
  async hello(): Promise<this> {
    await this.opened();
    this.send('40');
    await this.until(() => this.received.some((packet) => packet.startsWith('40')));
    return this;
  }

  /** As few pieces as possible: what is sent together arrives together. */
  send(...packets: (string | Uint8Array)[]): void {
    const { _socket: tcp } = this.socket as unknown as { _socket?: { cork(): void; uncork(): void } };
    tcp?.cork();
    for (const packet of packets) this.socket.send(packet);
    tcp?.uncork();
  }

  /** Resolves when `condition` holds; it is looked at whenever something comes. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  destroy(): void {
    this.socket.terminate();
  }
}
