import type { ChildRelay } from '../child-relay.ts';
import { newRoom, type RoomSecrets, random16, random32, TestClient } from '../client.ts';
import { Dice } from './dice.ts';
import { hello, type Input, input, type Knowledge, largePacket, text } from './inputs.ts';
import { TcpClient, upgradeHead } from './tcp-client.ts';

/** Settings of a relay under it: nothing is slowed down, and rooms nobody is in are soon gone. */
export const fuzzed = {
  RELAY_RATE_CONNECTIONS: '1000000',
  RELAY_RATE_CONTROL: '100000000',
  RELAY_RATE_FRAMES: '100000000',
  RELAY_MAX_PER_ADDRESS: '1000',
  RELAY_MAX_ROOMS: '2000',
  RELAY_BLOB_ROOM_BYTES: '1MiB',
  RELAY_RETENTION: '1s',
};

const ATTACKERS = 32;
const ROOMS = 8;
/** Inputs over one connection, unless it is closed over one of them. */
const PER_CONNECTION = 100;
/** So many connections send only what does not end them: else most inputs would be the first few of a connection. */
const GENTLE = 0.2;
/** So many are no WebSockets. */
const POLLING = 0.02;

export interface FuzzOptions {
  /** Random; what failed is found again with the same one. */
  seed: number;
  /** Words that are written wherever a client can write something. */
  words: readonly string[];
  /** Address of the attackers, one of this machine's. */
  localAddress?: string;
}

/** A relay that is sent anything at all, while an honest pair goes on talking. */
export class Fuzz {
  /** That the relay certainly took: it answered the one behind them, or closed the connection over them. */
  inputs = 0;
  connections = 0;
  /** Conversations of the honest pair. */
  conversations = 0;
  readonly #relay: ChildRelay;
  readonly #options: FuzzOptions;
  readonly #known: Knowledge;
  readonly #dice: Dice[];

  constructor(relay: ChildRelay, options: FuzzOptions) {
    this.#relay = relay;
    this.#options = options;
    this.#known = { rooms: Array.from({ length: ROOMS }, newRoom), words: options.words };
    this.#dice = Array.from({ length: ATTACKERS }, (_, i) => new Dice(options.seed + i));
  }

  /** Rooms it plays with. */
  get rooms(): readonly RoomSecrets[] {
    return this.#known.rooms;
  }

  /**
   * Goes on until so many inputs were taken in all.
   *
   * @throws when the relay ends, fails, or does not serve the pair.
   */
  async run(until: number): Promise<void> {
    const ended = () => this.inputs >= until;
    const honest = async () => {
      do {
        await converse(this.#relay.url);
        this.conversations++;
      } while (!ended());
    };
    const attack = async (dice: Dice) => {
      while (!ended()) {
        await this.#connection(dice);
        if (this.#relay.process.exitCode !== null)
          throw new Error(`the relay ended: ${this.#relay.output.slice(-20).join('\n')}`);
      }
    };
    await Promise.all([honest(), ...this.#dice.map(attack)]);
    await converse(this.#relay.url);
    const { value } = await this.#relay.metrics();
    if (value('failures_total') > 0) throw new Error(`the relay failed: ${this.#relay.output.slice(-20).join('\n')}`);
  }

  /** One connection, from its upgrade until it is closed by either side. */
  async #connection(dice: Dice): Promise<void> {
    this.connections++;
    const { localAddress } = this.#options;
    const client = await TcpClient.open(this.#relay.url, localAddress === undefined ? {} : { localAddress });
    if (dice.chance(POLLING)) {
      await this.#poll(client, dice);
      return;
    }
    client.write(`${upgradeHead()}\r\n`);
    await client.until(() => client.closed || client.received.includes('pingInterval'));
    if (dice.chance(0.9)) client.write(hello());
    if (dice.chance(0.5)) await this.#join(client, dice);
    const gentle = dice.chance(GENTLE);
    for (let count = 0; count < PER_CONNECTION && !refused(client); count++) {
      const { frames, open = false } = this.#input(dice, gentle);
      client.write(frames);
      if (open) {
        client.socket.end();
        await client.until(() => refused(client));
      } else await stillListens(client, count);
      this.inputs++;
    }
    client.destroy();
  }

  /** The same over HTTP, which no client of the contract speaks. */
  async #poll(client: TcpClient, dice: Dice): Promise<void> {
    const packet = `${dice.one(['', '40\u001e', '4'])}${largePacket(dice, this.#known)}`;
    const sid = dice.one(['', '&sid=', `&sid=${dice.one(this.#known.words)}`, '&j=0']).replaceAll(' ', '%20');
    const method = dice.one(['POST', 'GET', 'OPTIONS']);
    client.write(
      `${method} /qsec2/?EIO=${dice.one([3, 4])}&transport=polling${sid} HTTP/1.1\r\nHost: relay\r\n` +
        `Connection: close\r\nContent-Length: ${Buffer.byteLength(packet)}\r\n\r\n${packet}`,
    );
    const status = await client.answer();
    // Closed before everything was read, it may be a reset that arrives.
    if (status !== 400 && status !== 0) throw new Error(`long polling was answered with ${status}`);
    this.inputs++;
    client.destroy();
  }

  #input(dice: Dice, gentle: boolean): Input {
    for (;;) {
      const made = input(dice, this.#known);
      if (made.gentle || !gentle) return made;
    }
  }

  /** Makes a room that is known, if it is gone, and takes a seat in it. */
  async #join(client: TcpClient, dice: Dice): Promise<void> {
    const room = dice.one(this.#known.rooms);
    const { endToken: _, ...terms } = room;
    const seat = { seat: random16(), seatSecret: random32() };
    // One after the other: a request that comes while another one is worked on is refused.
    for (const packet of [
      ['create', { ...room, capacity: 16 }],
      ['join', { ...terms, ...seat }],
    ]) {
      client.write(text(`421${JSON.stringify(packet)}`));
      await stillListens(client, PER_CONNECTION);
    }
  }
}

/** Asks something that is always refused. @returns false when the connection is closed instead. */
async function stillListens(client: TcpClient, nth: number): Promise<boolean> {
  // What asked to close it is not to be forgotten: the relay waits half a minute for the other side.
  if (refused(client)) return false;
  const id = 9_000_000 + nth;
  client.received = '';
  client.write(text(`42${id}["blob:get",null]`));
  await client.until(() => refused(client) || client.received.includes(`43${id}[`));
  return !refused(client);
}

/** The relay closed the connection, or its last frame is the one that asks to close it (RFC 6455 §5.5.1). */
function refused({ closed, received }: TcpClient): boolean {
  return closed || received.endsWith('\x88\0') || received.startsWith('\x88\x02', received.length - 4);
}

/** Two members find each other, write, and end their room. */
async function converse(url: string): Promise<void> {
  const room = newRoom();
  const [ana, bo] = [new TestClient(url), new TestClient(url)];
  try {
    await Promise.all([ana.connected(), bo.connected()]);
    const made = await ana.create(room);
    // Strangers may have made as many rooms as there may be.
    if (made.error?.message.includes('as many rooms')) return;
    for (const member of [ana, bo]) {
      const reply = await member.join(room);
      if (!reply.ok) throw new Error(`an honest member was refused: ${reply.error.code}`);
    }
    ana.push({ text: 'from Ana' });
    bo.push({ text: 'from Bo' });
    await Promise.all([ana, bo].map((member) => member.until(() => member.texts.length === 2 || member.socket.disconnected)));
    if (ana.texts.join() !== bo.texts.join() || ana.texts.length !== 2) throw new Error('an honest pair was not served');
    await ana.socket.emitWithAck('end', { room: room.room, endToken: room.endToken });
  } finally {
    ana.close();
    bo.close();
  }
}
