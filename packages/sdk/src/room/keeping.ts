import type { Kept, KeptMessage, KeptOutgoing, KeptRoom, KeptSeen, RoomStore } from '../storage/kept.ts';

/** A message may be sent again for as long as outboxes keep it; they are bound to the relay's retention, and clocks differ. */
const SEEN_FOR_MS = 86_400_000;

/** What a room keeps across reloads, if it is to keep anything. */
export class Keeping {
  #store: RoomStore | undefined;
  readonly #describe: () => KeptRoom;

  constructor(store: RoomStore | undefined, describe: () => KeptRoom) {
    this.#store = store;
    this.#describe = describe;
  }

  /** From when the room was open here last. */
  get kept(): Kept | undefined {
    return this.#store?.kept;
  }

  /** Whether the room can be returned to once it is closed. */
  get active(): boolean {
    return this.#store !== undefined;
  }

  /** Something about the room changed that has to outlive a reload. Resolves when it is stored. */
  async room(): Promise<void> {
    await this.#store?.keepRoom(this.#describe());
  }

  message(message: () => KeptMessage): void {
    void this.#store?.keepMessage(message());
  }

  dropMessage(id: string): void {
    void this.#store?.dropMessage(id);
  }

  outgoing(id: string, outgoing: KeptOutgoing | undefined): void {
    void (outgoing ? this.#store?.keepOutgoing(outgoing) : this.#store?.dropOutgoing(id));
  }

  /** Remembers that something was handed to the application, after everything kept before it. Undefined where nothing is kept. */
  seen(seen: Omit<KeptSeen, 'until'>, retentionMs: number): Promise<void> | undefined {
    return this.#store?.keepSeen({ ...seen, until: Date.now() + SEEN_FOR_MS + 2 * retentionMs });
  }

  dropSeen(id: string): void {
    void this.#store?.dropSeen(id);
  }

  /** Stores what is on its way; nothing is kept from here on. */
  async release(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.release();
  }

  /** Erases what is kept; nothing is kept from here on. @throws {QsecError} `STORAGE_UNAVAILABLE` */
  async forget(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.forget();
  }
}
