import { QsecError } from '../errors.ts';
import { signingKey } from '../protocol/identity.ts';
import { damage, isDamage } from './damage.ts';
import type { Kept, KeptMessage, KeptOutgoing, KeptRoom, KeptSeen, RoomStore } from './kept.ts';
import { importIdentity, importStorageKey, portable } from './keys.ts';
import { lockOrRefuse } from './locks.ts';
import type { StoragePort } from './port.ts';
import { orUnavailable, unavailable } from './unavailable.ts';
import { Vault } from './vault.ts';
import { timedOut } from './within.ts';

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

/** How often it is looked whether the storage still has what it was given. */
const CHECK_MS = 60_000;

/** One room in a storage, held against other tabs. */
export class StoredRoom implements RoomStore {
  readonly kept: Kept | undefined;
  readonly #port: StoragePort;
  readonly #names: RoomNames;
  readonly #unlock: () => void;
  #vault: Vault | undefined;
  /** Whether something of the room itself was stored, now or before. */
  #entered: boolean;
  #onFailure: ((error: QsecError) => void) | undefined;
  /** What went wrong before anybody could be told. */
  #untold: QsecError | undefined;
  /** Whether the failure that lasts was told of. */
  #told = false;
  /** Whether the storage left us waiting last: nobody waits for it again until it stored something. */
  #hangs = false;
  #check: ReturnType<typeof setInterval> | undefined;
  #over = false;

  private constructor(port: StoragePort, names: RoomNames, unlock: () => void, { vault, kept, trouble }: Opened) {
    this.#port = port;
    this.#names = names;
    this.#unlock = unlock;
    this.#vault = vault;
    this.kept = kept;
    this.#entered = kept !== undefined;
    this.#untold = trouble;
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

  async create(privateKey: CryptoKey): Promise<void> {
    try {
      const key = await Vault.generateKey(this.#port);
      const keys = new Map([
        [this.#names.key, await portable(this.#port, key)],
        [this.#names.identity, await portable(this.#port, privateKey)],
      ]);
      await this.#port.write(keys);
      if (!(await this.#isThere())) throw lost();
      this.#vault = new Vault(this.#port, key);
    } catch (cause) {
      this.#hangs = timedOut(cause);
      throw unavailable(cause);
    }
  }

  begin(onFailure: (error: QsecError) => void): void {
    this.#onFailure = onFailure;
    const untold = this.#untold;
    this.#untold = undefined;
    if (untold) onFailure(untold);
    for (const { id } of this.kept?.outdated ?? []) void this.dropSeen(id);
    this.#check = setInterval(() => void this.#look(), CHECK_MS);
    // In Node looking alone must not keep a finished script alive.
    (this.#check as { unref?: () => void }).unref?.();
  }

  /** Something that belongs to the room could not be stored. */
  failed(cause: unknown): void {
    const error = unavailable(cause);
    this.#hangs = timedOut(error);
    if (this.#told || this.#untold) return;
    if (this.#onFailure) {
      this.#told = true;
      this.#onFailure(error);
    } else this.#untold = error;
  }

  async keepRoom(room: KeptRoom): Promise<void> {
    this.#entered = true;
    await this.#put(this.#names.room, room);
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
    try {
      if (!this.#entered && !this.#hangs) await eraseRoom(this.#port, this.#names);
    } catch (error) {
      this.failed(error);
    }
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

  async #put(name: string, value: unknown): Promise<void> {
    if (this.#over) return;
    const stored = this.#store(name, value);
    if (!this.#hangs) await stored;
  }

  async #store(name: string, value: unknown): Promise<void> {
    try {
      await this.#vault?.put(name, value);
      this.#told = this.#hangs = false;
    } catch (error) {
      this.failed(error);
    }
  }

  async #stop(): Promise<void> {
    this.#over = true;
    clearInterval(this.#check);
    try {
      await this.#vault?.close();
    } catch (error) {
      this.failed(error);
    }
  }

  /** A browser may drop what a page stored, and its person may. Nothing more is stored then: without the keys nothing opens it. */
  async #look(): Promise<void> {
    try {
      if (!this.#vault || this.#over || (await this.#isThere()) || this.#over) return;
      this.#vault = undefined;
      this.failed(lost());
    } catch (error) {
      this.failed(error);
    }
  }

  async #isThere(): Promise<boolean> {
    const { key, identity } = this.#names;
    return Boolean(await this.#port.get(key)) && Boolean(await this.#port.get(identity));
  }
}

const lost = () => new QsecError('STORAGE_UNAVAILABLE', 'The storage does not have what it was given: this room is not kept.');

/** What is kept of a room: nothing when there is nothing, or nothing that opens; and what does not. */
interface Opened {
  vault?: Vault;
  kept?: Kept;
  trouble?: QsecError;
}

async function open(port: StoragePort, names: RoomNames): Promise<Opened> {
  const [storedKey, storedIdentity] = [await port.get(names.key), await port.get(names.identity)];
  if (!storedKey && !storedIdentity) return {};
  try {
    if (!storedKey || !storedIdentity) throw damage('A key of a stored room is missing.');
    const vault = new Vault(port, await importStorageKey(storedKey));
    const room = (await vault.get(names.room)) as KeptRoom | undefined;
    if (!room) return {};
    const identity = signingKey(await importIdentity(storedIdentity), room.identity);
    const damaged: string[] = [];
    const entries = (prefix: string) => vault.list(prefix, (name) => damaged.push(name));
    const messages = (await entries(names.messages)) as KeptMessage[];
    const outgoing = (await entries(names.outgoing)) as KeptOutgoing[];
    const seen = (await entries(names.seen)) as KeptSeen[];
    const now = Date.now();
    return {
      vault,
      kept: {
        identity,
        room,
        messages: messages.sort((a, b) => a.order - b.order),
        outgoing: outgoing.sort((a, b) => a.order - b.order),
        seen: seen.filter(({ until }) => until > now),
        outdated: seen.filter(({ until }) => until <= now),
      },
      ...(damaged.length > 0 && {
        trouble: damage(`${damaged.length} stored entries of this room do not open: they are left out.`),
      }),
    };
  } catch (error) {
    // A storage that cannot be read now may be later: what it keeps stays.
    if (!isDamage(error)) throw error;
    // Keys without what they seal, or the other way round: nothing that could be returned to.
    await eraseRoom(port, names);
    return { trouble: damage('What was stored of this room does not open. It is erased, and the room is entered anew.', error) };
  }
}
