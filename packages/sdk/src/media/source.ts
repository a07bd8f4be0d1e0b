import { QsecError } from '../errors.ts';
import { streamOf } from './pipeline.ts';

/** What can be sent as a file. A stream of unknown length is fine; it can be read once. An array must not change meanwhile. */
export type FileSource = Blob | Uint8Array | ReadableStream<Uint8Array>;

export interface OpenSource {
  stream: ReadableStream<Uint8Array>;
  /** Undefined for a stream. */
  size: number | undefined;
  name: string | undefined;
  type: string | undefined;
  /** The source itself, when it is a file on a disk. */
  file: File | undefined;
  /** The content where it can be had again without the relay. */
  blob: (() => Blob) | undefined;
}

const SLICE_BYTES = 1 << 20;

/** @throws {QsecError} `INVALID_ARGUMENT` for anything else than a source */
export function openSource(source: FileSource): OpenSource {
  if (source instanceof Blob) {
    const file = typeof File !== 'undefined' && source instanceof File ? source : undefined;
    return {
      stream: slicesOf(source),
      size: source.size,
      name: file?.name,
      type: source.type || undefined,
      file,
      blob: () => source,
    };
  }
  if (source instanceof Uint8Array) {
    const blob = () => new Blob([source as Uint8Array<ArrayBuffer>]);
    return { stream: viewsOf(source), size: source.length, name: undefined, type: undefined, file: undefined, blob };
  }
  if (source instanceof ReadableStream)
    return { stream: source, size: undefined, name: undefined, type: undefined, file: undefined, blob: undefined };
  throw new QsecError('INVALID_ARGUMENT', '"file" expected a File, Blob, Uint8Array or ReadableStream.');
}

function viewsOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return streamOf(async function* views() {
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) yield bytes.subarray(start, start + SLICE_BYTES);
  });
}

/**
 * A Blob piece by piece. Unlike `Blob.stream()` it reads nothing ahead of its reader, and a file that changed, moved or may not be
 * read is an error with a code.
 */
function slicesOf(blob: Blob): ReadableStream<Uint8Array> {
  return streamOf(async function* slices() {
    for (let start = 0; start < blob.size; start += SLICE_BYTES) {
      try {
        yield new Uint8Array(await blob.slice(start, start + SLICE_BYTES).arrayBuffer());
      } catch (cause) {
        throw new QsecError('FILE_UNREADABLE', 'This file cannot be read. It may have been moved, changed or locked.', { cause });
      }
    }
  });
}
