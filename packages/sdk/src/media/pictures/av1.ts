import type { Extent } from './extent.ts';

const SEQUENCE_HEADER = 1;

/** Adds the largest frame of every sequence header among the OBUs of an AV1 stream (AV1 Bitstream, §5.3–5.5). */
export function addSequences(stream: DataView, extent: Extent): void {
  for (let at = 0; at < stream.byteLength; ) {
    const header = stream.getUint8(at++);
    if (header & 0x04) at++;
    let length = stream.byteLength - at;
    if (header & 0x02) [length, at] = leb128(stream, at);
    if (((header >> 3) & 0x0f) === SEQUENCE_HEADER) addSequence(new Bits(stream, at), extent);
    at += length;
  }
}

function leb128(stream: DataView, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = stream.getUint8(at + i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new RangeError('a number without end');
}

/** §5.5.1, up to the size. */
function addSequence(bits: Bits, extent: Extent): void {
  bits.skip(4);
  const reduced = bits.read(1);
  if (reduced) bits.skip(5);
  else skipOperatingPoints(bits);
  const widthBits = bits.read(4) + 1;
  const heightBits = bits.read(4) + 1;
  extent.add(bits.read(widthBits) + 1, bits.read(heightBits) + 1);
}

function skipOperatingPoints(bits: Bits): void {
  let delayBits = 0;
  if (bits.read(1)) {
    bits.skip(64);
    if (bits.read(1)) bits.skipExponential();
    if (bits.read(1)) {
      delayBits = bits.read(5) + 1;
      bits.skip(42);
    }
  }
  const delays = bits.read(1);
  for (let points = bits.read(5) + 1; points > 0; points--) {
    bits.skip(12);
    if (bits.read(5) > 7) bits.skip(1);
    if (delayBits > 0 && bits.read(1)) bits.skip(2 * delayBits + 1);
    if (delays && bits.read(1)) bits.skip(4);
  }
}

/** Most significant bit first. */
class Bits {
  readonly #stream: DataView;
  #at: number;

  constructor(stream: DataView, byte: number) {
    this.#stream = stream;
    this.#at = 8 * byte;
  }

  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      value = 2 * value + ((this.#stream.getUint8(this.#at >>> 3) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** uvlc(), §4.10.3. */
  skipExponential(): void {
    let zeros = 0;
    while (!this.read(1)) zeros++;
    if (zeros < 32) this.skip(zeros);
  }
}
