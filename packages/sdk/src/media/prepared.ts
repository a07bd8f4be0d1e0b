import { streamOf } from './pipeline.ts';
import type { SealedChunk, SealedFile, Sealing } from './seal.ts';

/** A file that was sealed before it was decided to send it. It can be sent once. */
export interface PreparedFile {
  readonly sealed: SealedFile;
  readonly chunks: readonly SealedChunk[];
}

/** A prepared file in the form in which files are handed to a relay. */
export const sealingOf = ({ sealed, chunks }: PreparedFile): Sealing => ({
  id: sealed.id,
  sealed: Promise.resolve(sealed),
  chunks: streamOf(async function* all() {
    yield* chunks;
  }),
});
