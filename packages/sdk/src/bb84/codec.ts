import { QsecError } from '../errors.ts';
import { byteLength, clearTail } from './bits.ts';

/** The error of every message that is not what its format says. */
export const malformed = (what: string): QsecError =>
  new QsecError('INVALID_ARGUMENT', `"message" is not a well-formed key agreement flight: ${what}`, {
    details: { argument: 'message' },
  });

/** A message of another version of this engine: `details.version` says what is, and which. */
export const otherVersion = (what: string, theirs: number, ours: number): QsecError =>
  new QsecError('INVALID_ARGUMENT', `"message" is of another version: ${what} ${theirs}, and here ${ours}`, {
    details: { version: { what, theirs, ours } },
  });

/** Appends fields to a growing buffer. Numbers are big-endian. */
export class Writer {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  #reserve(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#buffer.length));
      grown.set(this.#buffer);
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.#reserve(1); // before #view is read: it may replace it
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#reserve(2); // before #view is read: it may replace it
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4); // before #view is read: it may replace it
    this.#view.setUint32(at, value);
    return this;
  }

  f64(value: number): this {
    const at = this.#reserve(8); // before #view is read: it may replace it
    this.#view.setFloat64(at, value);
    return this;
  }

  /** Seven bits a byte, least significant group first, high bit set on all but the last. */
  varint(value: number): this {
    for (; value > 127; value = Math.floor(value / 128)) this.u8((value & 127) | 128);
    return this.u8(value);
  }

  /** Bytes whose number the reader knows. */
  bytes(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  /** Bytes after their number. */
  block(value: Uint8Array): this {
    return this.u32(value.length).bytes(value);
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }
}

/** Reads what {@link Writer} wrote. Every method throws `INVALID_ARGUMENT` rather than read past the end. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    if (!(bytes instanceof Uint8Array)) throw malformed('it is not a Uint8Array');
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw malformed('it ends early');
    this.#at += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** A finite number in [min, max]. */
  f64(min: number, max: number): number {
    const value = this.#view.getFloat64(this.#take(8));
    if (!(value >= min && value <= max)) throw malformed('a number is out of range');
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw malformed('a number is too long');
  }

  /** A copy of the next `count` bytes. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.slice(at, at + count);
  }

  /** `count` packed bits, whose padding must be zero. */
  bits(count: number): Uint8Array {
    const packed = this.bytes(byteLength(count));
    const last = packed[packed.length - 1];
    if (clearTail(packed, count)[packed.length - 1] !== last) throw malformed('padding bits are set');
    return packed;
  }

  block(): Uint8Array {
    return this.bytes(this.u32());
  }

  /** A copy of all bytes that are left. */
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** Throws when bytes are left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed('bytes are left over');
  }
}
