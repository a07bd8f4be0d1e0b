/** How large a picture says that it is, in every place where it says so: a decoder may believe any of them. */
export class Extent {
  width = 0;
  height = 0;
  /** Something of it cannot be told. */
  unknown = false;

  add(width: number, height: number): void {
    this.width = Math.max(this.width, width);
    this.height = Math.max(this.height, height);
  }
}

/** Adds what a file of one kind says of its size. Reading past its end throws a RangeError: what was read before counts. */
export type SizeReader = (file: DataView, extent: Extent) => void;

/** Four letters, as most formats name their parts. */
export const nameAt = (file: DataView, at: number): string =>
  String.fromCharCode(file.getUint8(at), file.getUint8(at + 1), file.getUint8(at + 2), file.getUint8(at + 3));

/** 24 bits, little-endian. */
export const uint24 = (file: DataView, at: number): number => file.getUint16(at, true) | (file.getUint8(at + 2) << 16);
