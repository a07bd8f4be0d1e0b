import { QsecError } from '../errors.ts';

/** Bounds-checked binary encoding: big-endian integers, fixed fields as they are, variable fields behind a u32 length. */

/** The bytes type of this code base: never backed by shared memory, so that WebCrypto accepts it. */
export type Bytes = Uint8Array<ArrayBuffer>;

const utf8Encoder = new TextEncoder();
// A byte order mark is part of the text: what was signed is what is read.
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const utf8 = (text: string): Bytes => utf8Encoder.encode(text);

/** @throws {QsecError} `INVALID_ARGUMENT` when `bytes` are not well-formed UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch (cause) {
    throw new QsecError('INVALID_ARGUMENT', 'not well-formed UTF-8', { cause });
  }
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Compares without leaving early, so that the time taken does not tell where two MACs first differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Lexicographic order of byte strings: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUE = new Map([...ALPHABET].map((character, value) => [character, value]));

/** base64url without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const word = (a << 16) | (b << 8) | c;
    const digits = Math.min(bytes.length - i, 3) + 1;
    for (let d = 0; d < digits; d++) out += ALPHABET[(word >> (18 - 6 * d)) & 63];
  }
  return out;
}

/** @throws {QsecError} `INVALID_ARGUMENT` unless `text` is canonical base64url without padding. */
export function fromBase64url(text: string): Bytes {
  const out = new Uint8Array(Math.floor((text.length * 6) / 8));
  let word = 0;
  let bits = 0;
  let offset = 0;
  for (const character of text) {
    const value = VALUE.get(character);
    if (value === undefined) throw new QsecError('INVALID_ARGUMENT', 'not base64url: unexpected character');
    word = (word << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[offset++] = (word >> bits) & 0xff;
      word &= (1 << bits) - 1;
    }
  }
  // Left-over bits must be zero and fewer than six, else two texts would name the same bytes (RFC 4648 §3.5).
  if (word !== 0 || bits >= 6) throw new QsecError('INVALID_ARGUMENT', 'not base64url: wrong length or stray bits');
  return out;
}

const MAX_U32 = 0xffff_ffff;

/** Builds one encoding, field by field. */
export class Writer {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#integer(value, 1);
  }
  u16(value: number): this {
    return this.#integer(value, 2);
  }
  u32(value: number): this {
    return this.#integer(value, 4);
  }
  /** Unsigned 48-bit: sequence numbers and milliseconds since 1970, exact in a double. */
  u48(value: number): this {
    return this.#integer(value, 6);
  }
  /** A field whose length both sides know. */
  fixed(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }
  /** A field behind its u32 length. */
  variable(bytes: Uint8Array): this {
    return this.u32(bytes.length).fixed(bytes);
  }
  text(value: string): this {
    return this.variable(utf8(value));
  }
  bytes(): Bytes {
    return concat(...this.#parts);
  }

  #integer(value: number, size: number): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
      throw new QsecError('INVALID_ARGUMENT', `expected an unsigned ${8 * size}-bit integer, got ${value}`);
    }
    const field = new Uint8Array(size);
    for (let i = size - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) field[i] = rest % 256;
    this.#parts.push(field);
    return this;
  }
}

/** Reads what {@link Writer} wrote. Every read is checked against the end; the returned fields are views. */
export class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#integer(1);
  }
  u16(): number {
    return this.#integer(2);
  }
  u32(): number {
    return this.#integer(4);
  }
  u48(): number {
    return this.#integer(6);
  }
  /** @throws {QsecError} `INVALID_ARGUMENT` when fewer than `length` bytes are left. */
  fixed(length: number): Bytes {
    if (length > this.remaining) {
      throw new QsecError('INVALID_ARGUMENT', `truncated: expected ${length} more bytes, got ${this.remaining}`);
    }
    const field = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return field as Bytes;
  }
  /** A field behind its u32 length, at most `limit` bytes. */
  variable(limit = MAX_U32): Bytes {
    const length = this.u32();
    if (length > limit) throw new QsecError('INVALID_ARGUMENT', `field of ${length} bytes exceeds its limit of ${limit}`);
    return this.fixed(length);
  }
  text(limit = MAX_U32): string {
    return fromUtf8(this.variable(limit));
  }
  rest(): Bytes {
    return this.fixed(this.remaining);
  }
  /** @throws {QsecError} `INVALID_ARGUMENT` when bytes are left: an encoding has exactly one form. */
  end(): void {
    if (this.remaining !== 0) throw new QsecError('INVALID_ARGUMENT', `${this.remaining} unexpected bytes at the end`);
  }

  #integer(size: number): number {
    let value = 0;
    for (const byte of this.fixed(size)) value = value * 256 + byte;
    return value;
  }
}
