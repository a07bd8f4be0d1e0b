/** Content of small files that is kept once it was fetched, so that showing it again costs nothing. Bytes. */
const BUDGET = 64 * 2 ** 20;

/** Keeps what was used last, up to a number of bytes in all. */
export class BlobCache {
  readonly #blobs = new Map<string, Blob>();
  readonly #budget: number;
  #bytes = 0;

  constructor(budget = BUDGET) {
    this.#budget = budget;
  }

  get(name: string): Blob | undefined {
    const blob = this.#blobs.get(name);
    if (blob) {
      this.#blobs.delete(name);
      this.#blobs.set(name, blob);
    }
    return blob;
  }

  set(name: string, blob: Blob): void {
    this.#remove(name);
    this.#blobs.set(name, blob);
    this.#bytes += blob.size;
    for (const oldest of this.#blobs.keys()) {
      if (this.#bytes <= this.#budget) break;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#blobs.clear();
    this.#bytes = 0;
  }

  #remove(name: string): void {
    this.#bytes -= this.#blobs.get(name)?.size ?? 0;
    this.#blobs.delete(name);
  }
}
