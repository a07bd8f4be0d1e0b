import { chunkCount } from '../media/layout.ts';
import { randomBytes } from '../protocol/random.ts';
import { hex } from './text.ts';
import type { FileProgress } from './types.ts';

const CHUNK_BYTES = 65_536;
/** Steps in which a transfer is told: more than that nobody sees. */
const STEPS = 200;

/** Tells how far one transfer got. */
export class TransferProgress {
  readonly #facts: Pick<FileProgress, 'transfer' | 'direction' | 'message' | 'name'>;
  readonly #total: number | undefined;
  readonly #tell: (progress: FileProgress) => void;
  #done = 0;
  #told = -1;
  #over = false;

  constructor(
    facts: Pick<FileProgress, 'direction' | 'message' | 'name'>,
    total: number | undefined,
    tell: (progress: FileProgress) => void,
  ) {
    this.#facts = { transfer: hex(randomBytes(8)), ...facts };
    this.#total = total;
    this.#tell = tell;
    this.#report('running');
  }

  chunks(count: number): void {
    // Acknowledgements of what was under way may still come.
    if (this.#over) return;
    this.#done = Math.min(count * CHUNK_BYTES, this.#total ?? Number.POSITIVE_INFINITY);
    const step = this.#total === undefined ? CHUNK_BYTES : Math.max(CHUNK_BYTES, (chunkCount(this.#total) * CHUNK_BYTES) / STEPS);
    if (this.#done - this.#told >= step) this.#report('running');
  }

  end(state: 'done' | 'failed' | 'cancelled'): void {
    this.#over = true;
    if (state === 'done') this.#done = this.#total ?? this.#done;
    this.#report(state);
  }

  #report(state: FileProgress['state']): void {
    this.#told = this.#done;
    this.#tell({ ...this.#facts, done: this.#done, total: this.#total, state });
  }
}
