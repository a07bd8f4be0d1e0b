import type { Frame } from '../../frames/item.ts';
import type { Page, Watcher } from '../store.ts';

/** Size of one read when a follower is behind. */
const READ_BYTES = 1024 * 1024;

export interface FollowerOptions {
  watcher: Watcher;
  epoch: string | undefined;
  /** Last place that is known already. */
  at: number;
  read(after: number, bytes: number): Promise<Page>;
  failed(error: unknown): void;
}

/**
 * Follows the log of one room in a database that several relays share. News may come late, twice, or not at all: a frame is
 * passed on when it is the next one; when one is missing, the log itself is read.
 */
export class Follower {
  readonly watcher: Watcher;
  /** The epoch whose log is followed. */
  #epoch: string | undefined;
  readonly #read: (after: number, bytes: number) => Promise<Page>;
  readonly #failed: (error: unknown) => void;
  /** Last place passed on. */
  #at: number;
  /** A place that is known to exist. */
  #known: number;
  #reading = false;
  #stopped = false;

  constructor({ watcher, epoch, at, read, failed }: FollowerOptions) {
    this.watcher = watcher;
    this.#epoch = epoch;
    this.#at = at;
    this.#known = at;
    this.#read = read;
    this.#failed = failed;
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * Frames that were committed, contiguous among themselves.
   *
   * @param epoch in which they were, where that is known.
   */
  offer(frames: readonly Frame[], epoch = this.#epoch): void {
    if (epoch !== this.#epoch) {
      this.#renewed(epoch);
      return;
    }
    const last = frames.at(-1)?.seq ?? 0;
    if (last <= this.#at) return;
    if (!this.#reading && frames[0]!.seq <= this.#at + 1) this.#pass(frames);
    else this.reach(last);
  }

  /** The log goes at least up to here: read what is missing. */
  reach(seq: number): void {
    this.#known = Math.max(this.#known, seq);
    if (this.#known > this.#at && !this.#reading) void this.#catchUp();
  }

  /**
   * Looks at the log itself: news may have been lost. The room gets a new start when the log went back, or has another epoch.
   *
   * @param epoch of the room now; undefined when there is no such room any more.
   */
  async check(epoch: string | undefined): Promise<void> {
    if (epoch === undefined || epoch !== this.#epoch) this.#renewed(epoch);
    const { head } = await this.#read(this.#at, 1);
    if (head < this.#at) this.watcher.renewed();
    else this.reach(head);
  }

  async #catchUp(): Promise<void> {
    this.#reading = true;
    try {
      while (!this.#stopped && this.#at < this.#known) {
        const { frames, floor, epoch } = await this.#read(this.#at, READ_BYTES);
        if (epoch !== this.#epoch) {
          this.#renewed(epoch);
          break;
        }
        if (frames.length > 0) this.#pass(frames);
        else if (floor > this.#at) this.#at = floor;
        else break;
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#reading = false;
    }
  }

  #renewed(epoch: string | undefined): void {
    this.#epoch = epoch;
    this.watcher.renewed();
  }

  #pass(frames: readonly Frame[]): void {
    const fresh = frames[0]!.seq > this.#at ? frames : frames.filter(({ seq }) => seq > this.#at);
    this.#at = fresh.at(-1)?.seq ?? this.#at;
    if (!this.#stopped && fresh.length > 0) this.watcher.frames(fresh);
  }
}
