import { SenderKey } from '../protocol/sender-key.ts';
import type { Bytes } from '../wire/index.ts';

/** Roster changes that come together make one epoch. */
const WINDOW_MS = 250;
/** An epoch that lasts goes on for so many frames, and so long. */
const MAX_FRAMES = 65_536;
const MAX_AGE_MS = 900_000;

export interface OwnEpochsOptions {
  roomId: Bytes;
  identity: Bytes;
  rosterHash(): Bytes;
  /** Hands a new epoch to every member; it is used from then on. */
  announce(key: SenderKey): Promise<void>;
  enqueue(task: () => Promise<void>): void;
}

/**
 * Our own sender keys: a fresh one whenever the roster changes, so that who comes reads nothing older and who left nothing newer; and
 * now and then while it does not, so that who got hold of one reads no more than was said under it.
 */
export class OwnEpochs {
  readonly #options: OwnEpochsOptions;
  #current: SenderKey | undefined;
  #stale = false;
  #rotatedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OwnEpochsOptions) {
    this.#options = options;
  }

  /** Number of the current epoch; 0 before the first. */
  get number(): number {
    return this.#current?.epoch ?? 0;
  }

  get startedAt(): Date | undefined {
    return this.#rotatedAt === 0 ? undefined : new Date(this.#rotatedAt);
  }

  /** The roster changed: rotate now, or at the end of the window of the last change. */
  async rosterChanged(): Promise<void> {
    this.#stale = true;
    const wait = this.#rotatedAt + WINDOW_MS - Date.now();
    if (wait <= 0) return this.#rotate();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#options.enqueue(async () => void (await this.current()));
    }, wait);
  }

  /** Makes a new epoch at once. */
  renew(): Promise<void> {
    return this.#rotate();
  }

  /** The key to seal with. Never one that a member of the present roster lacks. */
  async current(): Promise<SenderKey> {
    if (!this.#current || this.#stale || this.#spent(this.#current)) await this.#rotate();
    return this.#current as SenderKey;
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#current?.destroy();
    this.#current = undefined;
  }

  #spent({ count }: SenderKey): boolean {
    return count >= MAX_FRAMES || Date.now() - this.#rotatedAt >= MAX_AGE_MS;
  }

  async #rotate(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stale = false;
    const { roomId, identity, rosterHash, announce } = this.#options;
    const previous = this.#current;
    this.#current = await SenderKey.create(roomId, identity, rosterHash(), previous);
    this.#rotatedAt = Date.now();
    await announce(this.#current);
    previous?.destroy();
  }
}
