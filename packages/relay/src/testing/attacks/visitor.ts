import { type RoomSecrets, random16, random32 } from '../client.ts';
import { hello, text } from './inputs.ts';
import { TcpClient, upgradeHead } from './tcp-client.ts';

/** A client that does no more than it must. */
export class Visitor {
  readonly tcp: TcpClient;
  #requests = 0;

  private constructor(tcp: TcpClient) {
    this.tcp = tcp;
  }

  static async connect(url: string, options: { localAddress?: string } = {}): Promise<Visitor> {
    const tcp = await TcpClient.open(url, options);
    tcp.write(`${upgradeHead()}\r\n`);
    await tcp.until(() => tcp.closed || tcp.received.includes('pingInterval'));
    tcp.write(hello());
    await tcp.until(() => tcp.closed || tcp.received.includes('40{"sid"'));
    return new Visitor(tcp);
  }

  /** @throws when it is refused. */
  async request(event: string, ...fields: unknown[]): Promise<void> {
    const { tcp } = this;
    const reply = `43${++this.#requests}[`;
    tcp.received = '';
    tcp.write(text(`42${this.#requests}${JSON.stringify([event, ...fields])}`));
    await tcp.until(() => tcp.closed || tcp.received.includes(reply));
    if (!tcp.received.includes(`${reply}{"ok"`)) throw new Error(`${event} was refused: ${tcp.received.slice(-300)}`);
  }

  async join({ room, token }: RoomSecrets, seat = { seat: random16(), seatSecret: random32() }) {
    await this.request('join', { room, token, ...seat });
    return seat;
  }
}
