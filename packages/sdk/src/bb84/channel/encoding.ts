import { QsecError } from '../../errors.ts';
import { byteLength, deposit, select } from '../bits.ts';
import { countOnes } from './plane.ts';
import type { DetectorModel, MultiPhotonPulses, PhotonStates, Transmission } from './types.ts';

/**
 * A transmission as bytes:
 *
 * ```
 * version 1 | parts 1 | count u32
 *   [DETECTOR]   efficiency f64 | dark count f64
 *   [DENSE]      which pulses hold light, ⌈count/8⌉ bytes
 *   [SPARSE]     how many do, u32 | the gap before each, LEB128
 *   [LIGHT]      bit of each that does | basis of each, ⌈lit/8⌉ bytes a plane
 *   [BREIDBART]  which of them lie between the bases, ⌈lit/8⌉ bytes
 *   [MULTI]      how many hold several photons, u32 | for each: gap in pulses, LEB128, and photons 1
 * ```
 *
 * Integers are big-endian. A lossless single-photon run is 6 bytes and 2 bits a pulse; on a lossy one only pulses that arrive cost
 * their 2 bits, and a gap of one byte or two. Every transmission has exactly one encoding that {@link encodeTransmission} makes.
 */
const VERSION = 1;
const DETECTOR = 1;
const DENSE = 2;
const SPARSE = 4;
const LIGHT = 8;
const BREIDBART = 16;
const MULTI = 32;
const ALL_PARTS = 63;
const HEADER_BYTES = 6;

/** Encodes what left the fibre. The size tells how many pulses arrived and nothing about their states. */
export function encodeTransmission({ count, states, detector }: Transmission): Uint8Array {
  const ideal = detector.efficiency === 1 && detector.darkCount === 0;
  const header = new Uint8Array(HEADER_BYTES);
  const chunks: Uint8Array[] = [header];
  let parts = 0;
  if (!ideal) {
    parts |= DETECTOR;
    chunks.push(encodeDetector(detector));
  }
  if (states) {
    parts |= LIGHT;
    const present = states.present;
    if (present) {
      const gaps = encodeGaps(present, byteLength(count));
      parts |= gaps ? SPARSE : DENSE;
      chunks.push(gaps ?? present);
    }
    const compact = (plane: Uint8Array): Uint8Array => (present ? select(plane, present) : plane);
    chunks.push(compact(states.bits), compact(states.bases));
    if (states.breidbart) {
      parts |= BREIDBART;
      chunks.push(compact(states.breidbart));
    }
    if (states.multi) {
      parts |= MULTI;
      chunks.push(encodeMulti(states.multi));
    }
  }
  header.set([VERSION, parts, count >>> 24, count >>> 16, count >>> 8, count]);
  return concatenate(chunks);
}

function encodeDetector({ efficiency, darkCount }: DetectorModel): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, efficiency);
  view.setFloat64(8, darkCount);
  return bytes;
}

/** The sparse form of `present`, or undefined when the plane itself is no longer. */
function encodeGaps(present: Uint8Array, planeBytes: number): Uint8Array | undefined {
  const lit = countOnes(present);
  if (4 + lit > planeBytes) return undefined;
  const writer = new GapWriter(planeBytes + 8, lit);
  for (let byteIndex = 0; byteIndex < present.length; byteIndex++) {
    let byte = present[byteIndex] as number;
    while (byte !== 0) {
      const leading = Math.clz32(byte) - 24;
      byte ^= 0x80 >>> leading;
      writer.position(byteIndex * 8 + leading);
      if (writer.length >= planeBytes) return undefined;
    }
  }
  return writer.bytes();
}

function encodeMulti({ positions, photons }: MultiPhotonPulses): Uint8Array {
  const writer = new GapWriter(4 + positions.length * 6, positions.length);
  for (let j = 0; j < positions.length; j++) {
    writer.position(positions[j] as number);
    writer.byte(photons[j] as number);
  }
  return writer.bytes();
}

/** Writes ascending positions as the gaps between them, LEB128. */
class GapWriter {
  readonly #bytes: Uint8Array;
  #next = 0;
  length = 4;

  constructor(capacity: number, entries: number) {
    this.#bytes = new Uint8Array(capacity);
    new DataView(this.#bytes.buffer).setUint32(0, entries);
  }

  position(position: number): void {
    let gap = position - this.#next;
    this.#next = position + 1;
    while (gap > 127) {
      this.byte((gap & 127) | 128);
      gap >>>= 7;
    }
    this.byte(gap);
  }

  byte(value: number): void {
    this.#bytes[this.length++] = value;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/**
 * Decodes {@link encodeTransmission}'s bytes from a peer that is not trusted.
 *
 * @param expectedPulses how many pulses were agreed on; nothing larger is allocated.
 * @throws QsecError `HANDSHAKE_FAILED` when the bytes are not exactly one transmission of that many pulses.
 */
export function decodeTransmission(bytes: Uint8Array, expectedPulses: number): Transmission {
  const reader = new Reader(bytes);
  const version = reader.byte();
  if (version !== VERSION) throw malformed(`version ${version}`);
  const parts = reader.byte();
  if ((parts & ~ALL_PARTS) !== 0 || (parts & DENSE && parts & SPARSE) || (!(parts & LIGHT) && parts & ~DETECTOR))
    throw malformed(`parts ${parts}`);
  const count = reader.u32();
  if (count !== expectedPulses) throw malformed(`${count} pulses where ${expectedPulses} were agreed`);
  const detector =
    parts & DETECTOR ? { efficiency: reader.probability(), darkCount: reader.probability() } : { efficiency: 1, darkCount: 0 };
  const transmission = parts & LIGHT ? { count, states: decodeStates(reader, parts, count), detector } : { count, detector };
  reader.end();
  return transmission;
}

function decodeStates(reader: Reader, parts: number, count: number): PhotonStates {
  const present = parts & DENSE ? reader.plane(count) : parts & SPARSE ? decodeGaps(reader, count) : undefined;
  const lit = present ? countOnes(present) : count;
  const spread = (plane: Uint8Array): Uint8Array => (present ? deposit(plane, present) : plane);
  const bits = spread(reader.plane(lit));
  const bases = spread(reader.plane(lit));
  return {
    bits,
    bases,
    ...(parts & BREIDBART && { breidbart: spread(reader.plane(lit)) }),
    ...(present && { present }),
    ...(parts & MULTI && { multi: decodeMulti(reader, present, count) }),
  };
}

function decodeGaps(reader: Reader, count: number): Uint8Array {
  const present = new Uint8Array(byteLength(count));
  const lit = reader.entries(count);
  let next = 0;
  for (let j = 0; j < lit; j++) {
    next = reader.position(next, count);
    present[next >>> 3] = (present[next >>> 3] as number) | (0x80 >>> (next & 7));
    next++;
  }
  return present;
}

function decodeMulti(reader: Reader, present: Uint8Array | undefined, count: number): MultiPhotonPulses {
  const entries = reader.entries(count);
  const positions = new Uint32Array(entries);
  const photons = new Uint8Array(entries);
  let next = 0;
  for (let j = 0; j < entries; j++) {
    const position = reader.position(next, count);
    if (present && !((present[position >>> 3] as number) & (0x80 >>> (position & 7))))
      throw malformed('several photons in an empty pulse');
    positions[j] = position;
    photons[j] = reader.byte();
    if ((photons[j] as number) < 2) throw malformed('fewer than two photons in a multi-photon pulse');
    next = position + 1;
  }
  return { positions, photons };
}

/** Reads within bounds; whatever does not fit throws. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw malformed('cut short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  byte(): number {
    return this.take(1)[0] as number;
  }

  u32(): number {
    return this.#view(4).getUint32(0);
  }

  probability(): number {
    const value = this.#view(8).getFloat64(0);
    if (!(value >= 0 && value <= 1)) throw malformed(`probability ${value}`);
    return value;
  }

  /** A plane of `count` bits, copied, with nothing after the last one. */
  plane(count: number): Uint8Array {
    const plane = this.take(byteLength(count)).slice();
    if (count % 8 !== 0 && (plane[plane.length - 1] as number) & (0xff >>> (count % 8)))
      throw malformed('bits after the last pulse');
    return plane;
  }

  /** A number of entries, each of which takes a byte at least: so nothing is allocated that the message does not pay for. */
  entries(limit: number): number {
    const entries = this.u32();
    if (entries > limit || entries > this.#bytes.length - this.#at) throw malformed(`${entries} entries`);
    return entries;
  }

  /** `next` plus a LEB128 gap, below `limit`. */
  position(next: number, limit: number): number {
    let gap = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      gap += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        if (byte === 0 && shift > 0) throw malformed('a gap longer than it need be');
        break;
      }
      if (shift >= 28) throw malformed('an endless gap');
    }
    if (next + gap >= limit) throw malformed('a position past the last pulse');
    return next + gap;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed(`${this.#bytes.length - this.#at} bytes too many`);
  }

  #view(length: number): DataView {
    const part = this.take(length);
    return new DataView(part.buffer, part.byteOffset, length);
  }
}

const malformed = (what: string): QsecError => new QsecError('HANDSHAKE_FAILED', `The pulses could not be read: ${what}`);

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
