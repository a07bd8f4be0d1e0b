import { QsecError } from '../errors.ts';
import { signingKey } from '../protocol/identity.ts';
import type { Kept, KeptMessage, KeptOutgoing, KeptRoom, KeptSeen, RoomStore } from './kept.ts';
import { importIdentity, importStorageKey, portable } from './keys.ts';
import { lockOrRefuse } from './locks.ts';
import type { StoragePort } from './port.ts';
import { orUnavailable, unavailable } from './unavailable.ts';
import { Vault } from './vault.ts';

/** Names of one room's entries in a storage. */
export interface RoomNames {
  /** Sealed {@link KeptRoom}. */
  readonly room: string;
  /** The key that seals everything else. */
  readonly key: string;
  readonly identity: string;
  readonly messages: string;
  readonly outgoing: string;
  readonly seen: string;
}

export const roomsUnder = (scope: string): string => `${scope}/room/`;

export const namesOf = (scope: string, tag: string): RoomNames => ({
  room: `${roomsUnder(scope)}${tag}`,
  key: `${scope}/key/${tag}`,
  identity: `${scope}/identity/${tag}`,
  messages: `${scope}/message/${tag}/`,
  outgoing: `${scope}/outgoing/${tag}/`,
  seen: `${scope}/seen/${tag}/`,
});

/** Erases everything of a room: its keys first, without which the rest is noise. */
export async function eraseRoom(port: StoragePort, names: RoomNames): Promise<void> {
  await port.write(new Map([names.key, names.identity, names.room].map((name) => [name, undefined])));
  for (const prefix of [names.messages, names.outgoing, names.seen]) await port.erase(prefix);
}

/** One room in a storage, held against other tabs. */
export class StoredRoom implements RoomStore {
  readonly kept: Kept | undefined;
  readonly #port: StoragePort;
  readonly #names: RoomNames;
  readonly #unlock: () => void;
  #vault: Vault | undefined;
  #ready: Promise<void> = Promise.resolve();
  #onFailure: ((error: QsecError) => void) | undefined;
  #over = false;

  private constructor(port: StoragePort, names: RoomNames, unlock: () => void, opened: { vault: Vault; kept: Kept } | undefined) {
    this.#port = port;
    this.#names = names;
    this.#unlock = unlock;
    this.#vault = opened?.vault;
    this.kept = opened?.kept;
  }

  /**
   * @param onReleased called when the room is given back
   * @throws {QsecError} `ROOM_OPEN_ELSEWHERE`, `STORAGE_UNAVAILABLE`
   */
  static async claim(port: StoragePort, names: RoomNames, onReleased: () => void): Promise<StoredRoom> {
    const unlock = await lockOrRefuse(port, names.room);
    const release = () => {
      unlock();
      onReleased();
    };
    try {
      return new StoredRoom(port, names, release, await open(port, names));
    } catch (error) {
      unlock();
      throw error;
    }
  }

  begin(privateKey: CryptoKey | undefined, onFailure: (error: QsecError) => void): void {
    this.#onFailure = onFailure;
    if (privateKey) this.#ready = this.#create(privateKey);
  }

  keepRoom(room: KeptRoom): Promise<void> {
    return this.#put(this.#names.room, room);
  }
  keepMessage(message: KeptMessage): Promise<void> {
    return this.#put(this.#names.messages + message.id, message);
  }
  dropMessage(id: string): Promise<void> {
    return this.#put(this.#names.messages + id, undefined);
  }
  keepOutgoing(outgoing: KeptOutgoing): Promise<void> {
    return this.#put(this.#names.outgoing + outgoing.id, outgoing);
  }
  dropOutgoing(id: string): Promise<void> {
    return this.#put(this.#names.outgoing + id, undefined);
  }
  keepSeen(seen: KeptSeen): Promise<void> {
    return this.#put(this.#names.seen + seen.id, seen);
  }
  dropSeen(id: string): Promise<void> {
    return this.#put(this.#names.seen + id, undefined);
  }

  async release(): Promise<void> {
    if (this.#over) return;
    await this.#stop();
    this.#unlock();
  }

  async forget(): Promise<void> {
    if (this.#over) return;
    await this.#stop();
    try {
      await orUnavailable(() => eraseRoom(this.#port, this.#names));
    } finally {
      this.#unlock();
    }
  }

  async #create(privateKey: CryptoKey): Promise<void> {
    const key = await Vault.generateKey(this.#port);
    const keys = new Map([
      [this.#names.key, await portable(this.#port, key)],
      [this.#names.identity, await portable(this.#port, privateKey)],
    ]);
    await this.#port.write(keys);
    this.#vault = new Vault(this.#port, key);
  }

  async #put(name: string, value: unknown): Promise<void> {
    if (this.#over) return;
    try {
      if (!this.#vault) await this.#ready;
      await this.#vault?.put(name, value);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #stop(): Promise<void> {
    this.#over = true;
    try {
      await this.#ready;
      await this.#vault?.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Told once: what fails once mostly fails again. */
  #fail(cause: unknown): void {
    this.#onFailure?.(unavailable(cause));
    this.#onFailure = undefined;
  }
}

/** What is kept of a room; undefined when there is nothing, or nothing that opens. */
async function open(port: StoragePort, names: RoomNames): Promise<{ vault: Vault; kept: Kept } | undefined> {
  const [storedKey, storedIdentity] = [await port.get(names.key), await port.get(names.identity)];
  if (!storedKey || !storedIdentity) return undefined;
  try {
    const vault = new Vault(port, await importStorageKey(storedKey));
    const room = (await vault.get(names.room)) as KeptRoom | undefined;
    if (!room) return undefined;
    const identity = signingKey(await importIdentity(storedIdentity), room.identity);
    const [messages, outgoing, seen] = [
      (await vault.list(names.messages)) as KeptMessage[],
      (await vault.list(names.outgoing)) as KeptOutgoing[],
      (await vault.list(names.seen)) as KeptSeen[],
    ];
    const now = Date.now();
    for (const { id } of seen.filter(({ until }) => until <= now))
      void vault.put(names.seen + id, undefined).catch(() => undefined);
    return {
      vault,
      kept: {
        identity,
        room,
        messages: messages.sort((a, b) => a.order - b.order),
        outgoing: outgoing.sort((a, b) => a.order - b.order),
        seen: seen.filter(({ until }) => until > now),
      },
    };
  } catch (error) {
    if (!QsecError.is(error, 'STORAGE_UNAVAILABLE')) throw error;
    // Keys without what they seal, or the other way round: nothing that could be returned to.
    await eraseRoom(port, names);
    return undefined;
  }
}
