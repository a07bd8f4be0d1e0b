import type { ChildRelay } from '../child-relay.ts';
import { newRoom, type RoomSecrets, TestClient } from '../client.ts';
import { Visitor } from './visitor.ts';

const VISITORS = 32;

/** Settings of a relay that so many come to from one address. */
export const busy = { RELAY_RATE_CONNECTIONS: '1000000', RELAY_RATE_CONTROL: '100000000', RELAY_MAX_PER_ADDRESS: '1000' };

export interface CyclesOptions {
  /** Address of the visitors, one of this machine's. */
  localAddress?: string;
}

/** Visitors who connect and leave, one after the other, each in one of the ways there are. */
export class Cycles {
  count = 0;
  readonly #relay: ChildRelay;
  readonly #options: CyclesOptions;
  /** Each has somebody who stays. */
  readonly #rooms: RoomSecrets[] = [];
  readonly #residents: TestClient[] = [];

  constructor(relay: ChildRelay, options: CyclesOptions = {}) {
    this.#relay = relay;
    this.#options = options;
  }

  /** What the relay was shown. */
  get rooms(): readonly RoomSecrets[] {
    return this.#rooms;
  }

  /** Opens the rooms that visitors come to. */
  async open(): Promise<void> {
    for (let i = 0; i < VISITORS; i++) {
      const [room, resident] = [newRoom(), new TestClient(this.#relay.url)];
      await resident.connected();
      await resident.create(room, { capacity: 3 });
      if (!(await resident.join(room)).ok) throw new Error('a resident was refused');
      this.#rooms.push(room);
      this.#residents.push(resident);
    }
  }

  /** Goes on until so many came and left in all, and nobody is there but the residents. */
  async run(until: number): Promise<void> {
    const visit = async (room: RoomSecrets, i: number) => {
      const ways = [() => this.#leave(room), () => this.#end(), () => this.#drop(room), () => this.#vanish()];
      for (let way = i; this.count < until; way++) {
        await ways[way % ways.length]!();
        this.count++;
      }
    };
    await Promise.all(this.#rooms.map(visit));
    for (;;) {
      const { value } = await this.#relay.metrics();
      if (value('failures_total') > 0) throw new Error(`the relay failed: ${this.#relay.output.slice(-20).join('\n')}`);
      if (value('connections') === VISITORS && value('rooms') === VISITORS && value('seats') === VISITORS) return;
    }
  }

  close(): void {
    for (const resident of this.#residents) resident.close();
  }

  async #leave(room: RoomSecrets): Promise<void> {
    const visitor = await this.#connect();
    await visitor.join(room);
    await visitor.request('leave');
    visitor.tcp.destroy();
  }

  async #end(): Promise<void> {
    const host = await this.#connect();
    const room = newRoom();
    await host.request('create', { ...room, capacity: 2 });
    await host.join(room);
    await host.request('end', { room: room.room, endToken: room.endToken });
    host.tcp.destroy();
  }

  /** The connection drops, another one takes the seat and leaves. */
  async #drop(room: RoomSecrets): Promise<void> {
    const visitor = await this.#connect();
    const seat = await visitor.join(room);
    visitor.tcp.socket.resetAndDestroy();
    const again = await this.#connect();
    await again.join(room, seat);
    await again.request('leave');
    again.tcp.destroy();
  }

  /** Says hello and is gone. */
  async #vanish(): Promise<void> {
    const visitor = await this.#connect();
    visitor.tcp.socket.resetAndDestroy();
  }

  async #connect(): Promise<Visitor> {
    const { localAddress } = this.#options;
    return Visitor.connect(this.#relay.url, localAddress === undefined ? {} : { localAddress });
  }
}
