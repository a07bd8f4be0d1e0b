import { integer } from '../arguments.ts';
import { byteLength, deposit, getBit, select, setBit } from '../bits.ts';
import { malformed, otherVersion, Reader, Writer } from '../codec.ts';
import { MOST_PULSES } from '../limits.ts';
import { countOnes } from './plane.ts';
import type { MultiPhotonPulses, PhotonStates, Transmission } from './types.ts';
import { requireTransmission } from './validate.ts';

/*
 * A transmission as bytes, integers big-endian:
 *
 *   version 1 | parts 1 | count u32
 *   [DETECTOR]   efficiency f64 | dark count f64
 *   [DENSE]      which pulses hold light, ⌈count/8⌉ bytes
 *   [SPARSE]     how many do, u32 | the gap before each, varint
 *   [LIGHT]      bit of each that does | basis of each, ⌈lit/8⌉ bytes a plane
 *   [BREIDBART]  which of them lie between the bases, ⌈lit/8⌉ bytes
 *   [MULTI]      how many hold several photons, u32 | for each: the gap before it, varint, and its photons 1
 *
 * A lossless single-photon run is 6 bytes and 2 bits a pulse; on a lossy one only pulses that arrive cost their 2 bits, and a
 * bit a pulse or a gap of a byte or two says which they are.
 */
export const VERSION = 1;
const DETECTOR = 1;
const DENSE = 2;
const SPARSE = 4;
const LIGHT = 8;
const BREIDBART = 16;
const MULTI = 32;
const ALL_PARTS = 63;

/** Encodes what left the fibre. The size tells how many pulses arrived and nothing about their states but whether any is in the Breidbart basis. */
export function encodeTransmission(transmission: Transmission): Uint8Array {
  requireTransmission(transmission);
  const { count, states, detector } = transmission;
  const ideal = detector.efficiency === 1 && detector.darkCount === 0;
  const present = states?.present;
  const gaps = present && encodeGaps(present);
  const parts =
    (ideal ? 0 : DETECTOR) |
    (present ? (gaps ? SPARSE : DENSE) : 0) |
    (states ? LIGHT : 0) |
    (states?.breidbart ? BREIDBART : 0) |
    (states?.multi ? MULTI : 0);

  const writer = new Writer().u8(VERSION).u8(parts).u32(count);
  if (!ideal) writer.f64(detector.efficiency).f64(detector.darkCount);
  if (!states) return writer.finish();
  if (present) writer.bytes(gaps ?? present);
  const compact = (plane: Uint8Array): Uint8Array => (present ? select(plane, present) : plane);
  writer.bytes(compact(states.bits)).bytes(compact(states.bases));
  if (states.breidbart) writer.bytes(compact(states.breidbart));
  if (states.multi) writeMulti(writer, states.multi);
  return writer.finish();
}

/** The sparse form of `present`, or undefined when the plane itself is no longer. */
function encodeGaps(present: Uint8Array): Uint8Array | undefined {
  const lit = countOnes(present);
  // Every gap takes a byte at least.
  if (4 + lit >= present.length) return undefined;
  const writer = new Writer().u32(lit);
  let next = 0;
  for (let byteIndex = 0; byteIndex < present.length; byteIndex++) {
    let byte = present[byteIndex] as number;
    while (byte !== 0) {
      const leading = Math.clz32(byte) - 24;
      byte ^= 0x80 >>> leading;
      const position = byteIndex * 8 + leading;
      writer.varint(position - next);
      next = position + 1;
    }
  }
  const gaps = writer.finish();
  return gaps.length < present.length ? gaps : undefined;
}

function writeMulti(writer: Writer, { positions, photons }: MultiPhotonPulses): void {
  writer.u32(positions.length);
  let next = 0;
  for (let j = 0; j < positions.length; j++) {
    const position = positions[j] as number;
    writer.varint(position - next).u8(photons[j] as number);
    next = position + 1;
  }
}

/**
 * Decodes {@link encodeTransmission}'s bytes from a peer that is not trusted.
 *
 * @param expectedPulses how many pulses were agreed on; nothing larger is allocated.
 * @throws QsecError `INVALID_ARGUMENT` when the bytes are not exactly one transmission of that many pulses.
 */
export function decodeTransmission(bytes: Uint8Array, expectedPulses: number): Transmission {
  const reader = new Reader(bytes);
  integer('expectedPulses', expectedPulses, 0, MOST_PULSES);
  const version = reader.u8();
  if (version !== VERSION) throw otherVersion('BB84 transmission', version, VERSION);
  const parts = requireParts(reader.u8());
  const count = reader.u32();
  if (count !== expectedPulses) throw malformed(`${count} pulses where ${expectedPulses} were agreed on`);
  const detector =
    parts & DETECTOR ? { efficiency: reader.f64(0, 1), darkCount: reader.f64(0, 1) } : { efficiency: 1, darkCount: 0 };
  const light = parts & LIGHT ? { states: readStates(reader, parts, count) } : {};
  reader.end();
  return { count, ...light, detector };
}

function requireParts(parts: number): number {
  const unknown = (parts & ~ALL_PARTS) !== 0;
  const twice = (parts & DENSE) !== 0 && (parts & SPARSE) !== 0;
  const dark = (parts & LIGHT) === 0 && (parts & ~DETECTOR) !== 0;
  if (unknown || twice || dark) throw malformed(`transmission parts ${parts}`);
  return parts;
}

function readStates(reader: Reader, parts: number, count: number): PhotonStates {
  const present = parts & DENSE ? reader.bits(count) : parts & SPARSE ? readGaps(reader, count) : undefined;
  const lit = present ? countOnes(present) : count;
  const plane = (): Uint8Array => (present ? deposit(reader.bits(lit), present) : reader.bits(lit));
  return {
    bits: plane(),
    bases: plane(),
    ...(parts & BREIDBART && { breidbart: plane() }),
    ...(present && { present }),
    ...(parts & MULTI && { multi: readMulti(reader, present, count) }),
  };
}

function readGaps(reader: Reader, count: number): Uint8Array {
  const present = new Uint8Array(byteLength(count));
  const positions = new Positions(reader, count);
  for (let left = positions.entries; left > 0; left--) setBit(present, positions.next());
  return present;
}

function readMulti(reader: Reader, present: Uint8Array | undefined, count: number): MultiPhotonPulses {
  const entries = new Positions(reader, count);
  const positions = new Uint32Array(entries.entries);
  const photons = new Uint8Array(entries.entries);
  for (let j = 0; j < positions.length; j++) {
    const position = entries.next();
    if (present && !getBit(present, position)) throw malformed('several photons in an empty pulse');
    positions[j] = position;
    photons[j] = reader.u8();
    if ((photons[j] as number) < 2) throw malformed('fewer than two photons in a multi-photon pulse');
  }
  return { positions, photons };
}

/** Ascending positions below `count`, read from their number and the gaps between them. */
class Positions {
  readonly entries: number;
  readonly #reader: Reader;
  readonly #count: number;
  #next = 0;

  constructor(reader: Reader, count: number) {
    this.#reader = reader;
    this.#count = count;
    this.entries = reader.u32();
    if (this.entries > count) throw malformed(`${this.entries} entries for ${count} pulses`);
  }

  next(): number {
    const position = this.#next + this.#reader.varint();
    if (position >= this.#count) throw malformed('a position past the last pulse');
    this.#next = position + 1;
    return position;
  }
}
