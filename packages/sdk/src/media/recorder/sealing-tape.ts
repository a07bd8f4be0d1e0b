import type { PreparedFile } from '../prepared.ts';
import { type SealedChunk, type SealedFile, sealFile } from '../seal.ts';

/** Takes content as it is recorded, and seals it while more is coming. */
export class SealingTape {
  readonly #chunks: SealedChunk[] = [];
  readonly #done: Promise<SealedFile>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #added: Promise<void> = Promise.resolve();

  constructor() {
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    this.#done = this.#seal(source);
    // Whoever finishes the tape learns of a failure; one that is thrown away concerns nobody.
    this.#done.catch(() => undefined);
  }

  /** Adds a part behind those that were added before. */
  add(part: Blob): void {
    this.#added = this.#added.then(async () => {
      const bytes = new Uint8Array(await part.arrayBuffer());
      if (bytes.length > 0) this.#controller?.enqueue(bytes);
    });
    this.#added.catch(() => undefined);
  }

  async finish(): Promise<PreparedFile> {
    await this.#added;
    this.#controller?.close();
    this.#controller = undefined;
    return { sealed: await this.#done, chunks: this.#chunks };
  }

  /** Forgets everything. */
  discard(): void {
    this.#controller?.error(new DOMException('The recording was thrown away.', 'AbortError'));
    this.#controller = undefined;
    this.#chunks.length = 0;
  }

  async #seal(source: ReadableStream<Uint8Array>): Promise<SealedFile> {
    const { chunks, sealed } = await sealFile(source);
    const reader = chunks.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) this.#chunks.push(next.value);
    return sealed;
  }
}
