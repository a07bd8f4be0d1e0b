import { Extent, type SizeReader } from './extent.ts';

/** What a picture is by its first bytes, and how many pixels it takes to draw. */
export interface Picture {
  type: string;
  /** Pixels; of an animation the whole of it. */
  width: number;
  height: number;
}

/** A kind of picture: how it begins, and how its size is read. */
export interface PictureFormat {
  type: string;
  begins(bytes: Uint8Array): boolean;
  size: SizeReader;
}

export const beginsWith =
  (signature: readonly number[], offset = 0) =>
  (bytes: Uint8Array): boolean =>
    signature.every((byte, i) => bytes[offset + i] === byte);

/** Undefined for what is none of these formats, and where its size cannot be told: nobody knows what drawing it would take. */
export function pictureIn(bytes: Uint8Array, formats: readonly PictureFormat[]): Picture | undefined {
  const format = formats.find(({ begins }) => begins(bytes));
  if (!format) return undefined;
  const extent = new Extent();
  try {
    format.size(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), extent);
  } catch (error) {
    // Cut short: more than it said so far a decoder does not know either.
    if (!(error instanceof RangeError)) throw error;
  }
  const { width, height, unknown } = extent;
  return unknown || width === 0 || height === 0 ? undefined : { type: format.type, width, height };
}
