import type { ConnectOptions, Invite, Room, StoragePort } from '../../../packages/sdk/src/index.ts';
import type { HostileRelay, memoryStorage } from '../../../packages/sdk/src/testing/index.ts';
import type { Transport } from '../../../packages/sdk/src/transport/transport.ts';
import type { Lab } from '../../threats/support/lab.ts';
import { keysFromElsewhere } from './keys-from-elsewhere.ts';

const CAPACITY = 8;

/** From one opening of the page to the next. */
interface Life {
  room: Room;
  /** To the relay: one for each place that the room is or was at. */
  connections: Transport[];
  /** Texts in the order the application was told of them, and when. */
  told: { text: string; at: number }[];
  end(): void;
}

/** Somebody with a device, who opens and closes the page of a room. */
export class Person {
  readonly name: string;
  readonly keeps: boolean;
  readonly lives: Life[] = [];
  readonly errors: Error[] = [];
  /** By the link of which generation it first came: it followed to the places of later ones, and looks after those it left. */
  since = 0;
  /** Left for good, or was removed. */
  left = false;
  removed = false;
  online = true;
  readonly #lab: Lab;
  readonly #relay: HostileRelay;
  readonly #disk: ReturnType<typeof memoryStorage>;
  #invite: Invite | undefined;
  #open = false;

  constructor(lab: Lab, relay: HostileRelay, name: string, keeps: boolean) {
    this.#lab = lab;
    this.#relay = relay;
    this.#disk = lab.testing.memoryStorage();
    this.name = name;
    this.keeps = keeps;
  }

  get open(): boolean {
    return this.#open;
  }

  get life(): Life {
    const life = this.lives.at(-1);
    if (!life) throw new Error(`${this.name} was never here`);
    return life;
  }

  get room(): Room {
    return this.life.room;
  }

  /** How many removals it has followed. */
  get generation(): number {
    return this.room.invite.generation;
  }

  /** Its name at the relay. */
  get seat(): string {
    const { _membership } = this.room as unknown as { _membership: { _context: { seat: Uint8Array } } };
    return Buffer.from(_membership._context.seat).toString('base64url');
  }

  get id(): string {
    return this.room.me.id;
  }

  /** Whether the creator's policy has reached this member: the room is not one for two. */
  get knowsPolicy(): boolean {
    return this.room.policy.capacity === CAPACITY;
  }

  async enter(invite?: Invite): Promise<Invite> {
    const given = this.#invite ?? invite;
    const page = { alive: true };
    const connections: Transport[] = [];
    const options: ConnectOptions = {
      relay: 'http://relay.test',
      name: this.name,
      capacity: CAPACITY,
      keyAgreement: { source: keysFromElsewhere(), pulses: 4096 },
      transport: (url, handlers) => {
        const connection = whileAlive(page, this.#relay.transport(url, onlyWhileAlive(page, handlers)));
        connections.push(connection);
        return connection;
      },
      ...(given && { invite: given }),
      ...(this.keeps && { persist: 'device', storage: diskOf(page, this.#disk) }),
    };
    const room = await this.#lab.connect(options);
    const told: Life['told'] = [];
    room.on('message', ({ text = '' }) => told.push({ text, at: Date.now() }));
    room.on('error', (error) => this.errors.push(error));
    this.lives.push({
      room,
      connections,
      told,
      end: () => {
        page.alive = false;
      },
    });
    if (this.lives.length === 1) this.since = room.invite.generation;
    this.#invite = room.invite;
    this.#open = true;
    return room.invite;
  }

  /** Closes the page, in good order or as a crash does: what is on its way then is lost. */
  async close(crash: boolean): Promise<void> {
    this.#open = false;
    const { room, connections, end } = this.life;
    if (crash) {
      for (const connection of connections) connection.close();
      end();
    }
    await room.suspend();
  }

  drop(): void {
    this.online = false;
    for (const connection of this.life.connections) this.#relay.cut(connection);
  }

  restore(): void {
    this.online = true;
    for (const connection of this.life.connections) this.#relay.restore(connection);
  }

  async leave(): Promise<void> {
    this.#open = false;
    this.left = true;
    await this.room.leave();
  }
}

interface Page {
  alive: boolean;
}

/** A function that does nothing once the page is dead. */
const guarded =
  <A extends unknown[]>(page: Page, call: (...values: A) => unknown) =>
  (...values: A) =>
    page.alive ? call(...values) : undefined;

function onlyWhileAlive<T extends object>(page: Page, handlers: T): T {
  const entries = Object.entries(handlers as Record<string, (...values: unknown[]) => unknown>);
  return Object.fromEntries(entries.map(([name, handler]) => [name, guarded(page, handler)])) as T;
}

/** A dead page asks nothing of the relay. */
function whileAlive(page: Page, transport: Transport): Transport {
  return new Proxy(transport, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...values: unknown[]) => (page.alive ? Reflect.apply(value, target, values) : new Promise(() => undefined));
    },
  });
}

/** A dead page writes nothing. What it wrote before stays. */
const diskOf = (page: Page, disk: StoragePort): StoragePort => ({
  keepsCryptoKeys: disk.keepsCryptoKeys,
  get: (key) => disk.get(key),
  list: (prefix) => disk.list(prefix),
  write: async (changes) => void (await guarded(page, disk.write)(changes)),
  erase: async (prefix) => void (await guarded(page, disk.erase)(prefix)),
});
