import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where the relays see their clients: an address that stands nowhere else. Only Linux has all of 127.0.0.0/8. */
export const CLIENTS_FROM = process.platform === 'linux' ? '127.99.42.7' : '127.0.0.1';

/** What the network does to bytes on their way. */
export type Weather = 'fair' | 'black hole' | 'slow' | 'sliced';

const SLICE_BYTES = 7;
const SLOW_MS = 20;

/** A TCP proxy between clients and a relay that may come and go, with faults to order. Its own address never changes. */
export class FaultyNetwork {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  /** Port of the relay at the moment. */
  #target = 0;
  weather: Weather = 'fair';

  private constructor() {
    this.#server = createServer((client) => this.#join(client));
  }

  /** @param relay address of the relay it leads to. */
  static async open(relay: string): Promise<FaultyNetwork> {
    const network = new FaultyNetwork();
    network.leadTo(relay);
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    return network;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
  }

  /** The relay has another address now. */
  leadTo(relay: string): void {
    this.#target = Number(new URL(relay).port);
  }

  /** Cuts every connection, without a farewell. */
  cut(): void {
    for (const [client, relay] of this.#pairs) {
      client.resetAndDestroy();
      relay.resetAndDestroy();
    }
  }

  /** As if nothing had been. */
  calm(): void {
    this.weather = 'fair';
    this.hold(false);
  }

  /** Stops, or goes on, carrying to the clients what the relay sends. */
  hold(held: boolean): void {
    for (const [client] of this.#pairs) {
      if (held) client.cork();
      else client.uncork();
    }
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(client: Socket): void {
    const relay = connect({ port: this.#target, host: '127.0.0.1', localAddress: CLIENTS_FROM });
    const pair: [Socket, Socket] = [client, relay];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      relay.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end).setNoDelay();
    this.#pipe(client, relay);
    this.#pipe(relay, client);
  }

  /** Carries one direction, strictly in order. */
  #pipe(from: Socket, to: Socket): void {
    let carried = Promise.resolve();
    from.on('data', (bytes) => {
      from.pause();
      carried = carried.then(() => this.#carry(bytes, to)).then(() => void from.resume());
    });
  }

  async #carry(bytes: Buffer, to: Socket): Promise<void> {
    if (this.weather === 'black hole' || to.destroyed) return;
    if (this.weather === 'slow') await sleep(SLOW_MS);
    const step = this.weather === 'sliced' ? SLICE_BYTES : bytes.length;
    for (let i = 0; i < bytes.length; i += step) to.write(bytes.subarray(i, i + step));
    if (to.writableNeedDrain) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
  }
}
