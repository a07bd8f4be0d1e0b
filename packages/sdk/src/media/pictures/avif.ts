import { addSequences } from './av1.ts';
import { Extent, nameAt, type SizeReader } from './extent.ts';

interface Box {
  name: string;
  /** Where its content begins, and ends. */
  data: number;
  end: number;
}

interface Items {
  kinds: Map<number, string>;
  places: Map<number, DataView>;
  /** Of all of them. */
  bytes: number;
}

/** Containers, with the bytes of their own in front of the boxes in them. */
const CONTAINERS: Readonly<Record<string, number>> = {
  meta: 4,
  iprp: 0,
  ipco: 0,
  moov: 0,
  trak: 0,
  mdia: 0,
  minf: 0,
  stbl: 0,
  stsd: 8,
  av01: 78,
};

/**
 * AVIF (AV1 Image File Format 1.1 over ISO/IEC 23008-12): the sizes that its boxes tell, and those in the AV1 streams themselves, which
 * decoders work by.
 */
export const avifSize: SizeReader = (file, extent) => {
  // What cannot be read to its end may say something else to a decoder.
  extent.unknown = true;
  const streams = new Extent();
  visit(file, 0, file.byteLength, { boxes: extent, streams, toRead: 2 * file.byteLength });
  extent.add(streams.width, streams.height);
  // Without a stream there is nothing to draw, or it is somewhere else than it should be.
  extent.unknown = streams.width === 0;
};

interface Found {
  boxes: Extent;
  streams: Extent;
  /** Bytes of streams that are read at most: items of an honest file do not lie on top of each other. */
  toRead: number;
}

function* boxesIn(file: DataView, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const size = file.getUint32(at);
    const long = size === 1;
    const length = size === 0 ? to - at : long ? Number(file.getBigUint64(at + 8)) : size;
    const data = at + (long ? 16 : 8);
    if (at + length < data) return;
    yield { name: nameAt(file, at + 4), data, end: Math.min(to, at + length) };
    at += length;
  }
}

function visit(file: DataView, from: number, to: number, found: Found): void {
  for (const box of boxesIn(file, from, to)) {
    const { name, data, end } = box;
    const inside = CONTAINERS[name];
    if (name === 'ispe') found.boxes.add(file.getUint32(data + 4), file.getUint32(data + 8));
    if (name === 'av01') found.boxes.add(file.getUint16(data + 24), file.getUint16(data + 26));
    if (name === 'av1C') addStream(part(file, data + 4, end), found);
    if (name === 'stco' || name === 'co64') samples(file, data, name === 'co64', found);
    if (name === 'meta') addItems(file, box, found);
    if (inside !== undefined) visit(file, data + inside, end, found);
  }
}

/** A stream that is cut short says what it says up to there. */
function addStream(stream: DataView, found: Found, extent = found.streams): void {
  found.toRead -= stream.byteLength;
  if (found.toRead < 0) throw new RangeError('more in it than it holds');
  try {
    addSequences(stream, extent);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** The frames of an animation begin where its chunks do. */
function samples(file: DataView, data: number, long: boolean, found: Found): void {
  const count = file.getUint32(data + 4);
  for (let i = 0; i < count; i++) {
    const start = long ? Number(file.getBigUint64(data + 8 + 8 * i)) : file.getUint32(data + 8 + 4 * i);
    // Every key frame repeats the header: the first chunks are as good as all.
    if (i < MAX_CHUNKS && start < file.byteLength)
      addStream(part(file, start, Math.min(file.byteLength, start + CHUNK_BYTES)), found);
  }
}

const MAX_CHUNKS = 64;
const CHUNK_BYTES = 65_536;

function addItems(file: DataView, meta: Box, found: Found): void {
  const inside = [...boxesIn(file, meta.data + 4, meta.end)];
  const box = (wanted: string) => inside.find(({ name }) => name === wanted);
  const items: Items = { kinds: new Map(), places: new Map(), bytes: 0 };
  const [iinf, iloc, idat] = [box('iinf'), box('iloc'), box('idat')];
  if (iinf) readKinds(file, iinf, items);
  if (iloc) readPlaces(file, iloc, idat, items);
  const tile = new Extent();
  for (const [id, place] of items.places) {
    if (items.kinds.get(id) === 'av01') addStream(place, found, tile);
  }
  found.streams.add(tile.width, tile.height);
  for (const [id, place] of items.places) {
    if (items.kinds.get(id) === 'grid') addGrid(place, tile, found.boxes);
  }
}

/** ISO/IEC 23008-12 §6.6.2.3: rows and columns of tiles, and what they make together. */
function addGrid(grid: DataView, tile: Extent, extent: Extent): void {
  const large = (grid.getUint8(1) & 1) === 1;
  const [rows, columns] = [grid.getUint8(2) + 1, grid.getUint8(3) + 1];
  extent.add(large ? grid.getUint32(4) : grid.getUint16(4), large ? grid.getUint32(8) : grid.getUint16(6));
  extent.add(columns * tile.width, rows * tile.height);
}

function readKinds(file: DataView, { data, end }: Box, { kinds }: Items): void {
  const version = file.getUint8(data);
  for (const { name, data: entry } of boxesIn(file, data + (version === 0 ? 6 : 8), end)) {
    if (name !== 'infe' || file.getUint8(entry) < 2) continue;
    const wide = file.getUint8(entry) > 2;
    const id = wide ? file.getUint32(entry + 4) : file.getUint16(entry + 4);
    kinds.set(id, nameAt(file, entry + (wide ? 10 : 8)));
  }
}

/** ISO/IEC 14496-12 §8.11.3. */
function readPlaces(file: DataView, { data, end }: Box, idat: Box | undefined, items: Items): void {
  const version = file.getUint8(data);
  const sizes = file.getUint16(data + 4);
  let at = data + 6;
  const read = (bytes: number): number => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = 256 * value + file.getUint8(at++);
    return value;
  };
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version > 0 ? sizes & 15 : 0;
  const idBytes = version < 2 ? 2 : 4;
  for (let count = read(idBytes); count > 0 && at < end; count--) {
    const id = read(idBytes);
    const method = version > 0 ? read(2) & 15 : 0;
    if (method > 1) throw new RangeError('an item inside another one');
    const inIdat = method === 1;
    read(2);
    const base = read(baseBytes) + (inIdat && idat ? idat.data : 0);
    const parts: DataView[] = [];
    for (let extents = read(2); extents > 0 && at <= end; extents--) {
      read(indexBytes);
      const start = base + read(offsetBytes);
      const length = read(lengthBytes);
      if (start >= file.byteLength) continue;
      const piece = part(file, start, length === 0 ? file.byteLength : Math.min(file.byteLength, start + length));
      items.bytes += piece.byteLength;
      if (items.bytes > 2 * file.byteLength) throw new RangeError('more in it than it holds');
      parts.push(piece);
    }
    items.places.set(id, joined(parts));
  }
}

const part = (file: DataView, from: number, to: number): DataView =>
  new DataView(file.buffer, file.byteOffset + from, Math.max(0, to - from));

function joined(parts: readonly DataView[]): DataView {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of parts) {
    whole.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return new DataView(whole.buffer);
}
