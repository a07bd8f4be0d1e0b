import type { Bytes } from '../wire/index.ts';

const MAX_FRAMES = 64;
const MAX_BYTES = 1_048_576;
const MAX_AGE_MS = 30_000;

interface WaitingFrame {
  seat: Bytes;
  content: Bytes;
  since: number;
}

/** Group frames of an epoch that is not known yet: its keys may be a moment behind. Bounded in number, bytes and time. */
export class WaitingFrames {
  #frames: WaitingFrame[] = [];

  /** How many wait. */
  get size(): number {
    this.#trim();
    return this.#frames.length;
  }

  add(seat: Bytes, content: Bytes): void {
    this.#frames.push({ seat, content, since: Date.now() });
    this.#trim();
  }

  #trim(): void {
    const now = Date.now();
    let bytes = this.#frames.reduce((total, frame) => total + frame.content.length, 0);
    while (this.#frames.length > MAX_FRAMES || bytes > MAX_BYTES || now - (this.#frames[0]?.since ?? now) > MAX_AGE_MS) {
      bytes -= this.#frames.shift()?.content.length ?? 0;
    }
  }

  /** Takes out every frame that `isOpenable`, in the order they came. */
  take(isOpenable: (content: Bytes) => boolean): WaitingFrame[] {
    const openable = this.#frames.filter(({ content }) => isOpenable(content));
    this.#frames = this.#frames.filter((frame) => !openable.includes(frame));
    return openable;
  }

  clear(): void {
    this.#frames = [];
  }
}
