import { QsecError } from '../errors.ts';
import type { BlobTransport } from '../transport/transport.ts';
import { BLOB_CHUNK_BYTES, type BlobLimits, type RelayErrorCode } from '../wire/index.ts';

/** Sealed files of a relay in this process. */

interface MemoryBlob {
  owner: string;
  chunks: Uint8Array[];
  complete: boolean;
}

export type MemoryBlobs = Map<string, MemoryBlob>;

export const MEMORY_BLOB_LIMITS: BlobLimits = { roomBytes: 64 * 2 ** 20, retentionMs: 86_400_000, inFlight: 16 };

const failure = (code: RelayErrorCode): { error: { code: RelayErrorCode; message: string } } => ({
  error: { code, message: code },
});

const cut = () => new QsecError('RELAY_UNREACHABLE', 'The connection was cut.');

const sizeOf = (blobs: MemoryBlobs): number =>
  [...blobs.values()].reduce((sum, { chunks }) => sum + chunks.length * BLOB_CHUNK_BYTES, 0);

export interface MemoryBlobConnection {
  /** The blobs of the room this connection joined, and its seat. */
  joined(): { blobs: MemoryBlobs; seat: string } | undefined;
  /** Whether a reply still finds its way. */
  connected(): boolean;
  note(event: string, content: unknown): void;
}

/** One connection's way to the blobs of its room. */
export function memoryBlobTransport({ joined, connected, note }: MemoryBlobConnection): BlobTransport {
  /** A turn of its own, as a network gives it; a reply on a connection that is gone by then is lost. */
  async function answered<T>(work: (at: { blobs: MemoryBlobs; seat: string }) => T): Promise<T | ReturnType<typeof failure>> {
    await Promise.resolve();
    if (!connected()) throw cut();
    const at = joined();
    const reply = at ? work(at) : failure('NOT_JOINED');
    await Promise.resolve();
    if (!connected()) throw cut();
    return reply;
  }

  return {
    put: ({ blob: id, index, last }, chunk) => {
      note('blob:put', chunk.slice());
      return answered(({ blobs, seat }) => {
        const blob = blobs.get(id) ?? { owner: seat, chunks: [], complete: false };
        if (blob.owner !== seat) return failure('REFUSED');
        if (index === blob.chunks.length && !blob.complete) {
          if (sizeOf(blobs) + BLOB_CHUNK_BYTES > MEMORY_BLOB_LIMITS.roomBytes) return failure('QUOTA');
          blobs.set(id, blob);
          blob.chunks.push(chunk.slice());
          blob.complete = last;
        }
        return { ok: { chunks: blob.chunks.length, complete: blob.complete } };
      });
    },
    get: ({ blob: id, index }) =>
      answered(({ blobs }) => {
        const blob = blobs.get(id);
        if (!blob) return failure('NO_BLOB');
        const data = index === undefined ? undefined : blob.chunks[index]?.slice();
        return { ok: { chunks: blob.chunks.length, complete: blob.complete, ...(data && { data }) } };
      }),
    drop: ({ blob: id }) =>
      answered(({ blobs, seat }) => {
        if (blobs.get(id)?.owner !== seat && blobs.has(id)) return failure('REFUSED');
        blobs.delete(id);
        return { ok: true as const };
      }),
  };
}
